"""The one door: who reaches which clinical rows, through every model that hangs on an episode."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clients.models import Client, Episode, Supervision
from sessions_app.corrections import actions
from sessions_app.courses.decisions import Correction, Settlement
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, SetAsideRating, TherapySession
from sessions_app.flags import discussion_actions
from sessions_app.flags.discussion_changes import DiscussionChange
from sessions_app.flags.models import Discussion, Flag
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast
from tests.built_once import copy_of, kept_open

pytestmark = pytest.mark.django_db
MODELS = [
    *(TherapySession, RatingGrant, Rating, Flag, Discussion, DiscussionChange),
    *(SetAsideRating, Settlement, Correction),
]
SEEN_BY = [
    ("olga", True),
    ("sina", True),
    ("carl", False),
    ("stefan", False),
    ("adam", False),
    ("strange", False),
]


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        yield a_row_of_each(cast.clinic())


def a_row_of_each(clinic):
    """Of each model, of Olga's client."""
    session = cast.therapy_session(clinic.olgas)
    rating = cast.rating(session, 340)
    with pytest.raises(NotStored):
        record_rating(grant=rating.grant, answers=cast.answers(100), mode="line")
    note = discussion_actions.discuss(flags=session.flags.all(), said="x", agreed="y", by=clinic.olga)
    discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga)
    actions.use(aside=SetAsideRating.objects.get(), seen=rating.code, by=clinic.olga)
    return clinic


class TestARowOfEachModel:
    @pytest.fixture
    def rows(self, built):
        return copy_of(built)

    @pytest.mark.parametrize(("name", "sees"), SEEN_BY)
    @pytest.mark.parametrize("model", MODELS)
    def test_rows_are_seen_by_the_owner_and_todays_supervisor_only(self, rows, model, name, sees):
        assert model.objects.exists()
        assert model.objects.visible_to(getattr(rows, name)).exists() is sees

    @pytest.mark.parametrize("model", MODELS)
    def test_rows_are_written_by_the_owner_only(self, rows, model):
        owners = [name for name, _ in SEEN_BY if model.objects.own(getattr(rows, name)).exists()]
        assert owners == ["olga"]

    def test_the_office_sees_labels_and_no_clinical_row(self, rows):
        assert Client.objects.visible_to(rows.adam).count() == 2
        assert Episode.objects.managed_by(rows.adam).count() == 2
        assert not Episode.objects.visible_to(rows.adam).exists()


@pytest.mark.parametrize(
    ("starts", "ends", "sees"),
    [(0, None, True), (0, 0, True), (-9, -1, False), (1, None, False), (-9, 0, True)],
    ids=["from today", "last day", "ended yesterday", "from tomorrow", "ends today"],
)
def test_a_supervisor_sees_while_the_supervision_lasts(clinic, starts, ends, sees):
    today = timezone.localdate()
    Supervision.objects.filter(supervisor=clinic.sina).update(
        starts_on=today + timedelta(days=starts),
        ends_on=None if ends is None else today + timedelta(days=ends),
    )
    assert Episode.objects.visible_to(clinic.sina).filter(pk=clinic.olgas.pk).exists() is sees


@pytest.mark.parametrize(
    ("name", "field"),
    [("olga", "is_active"), ("olga", "is_therapist"), ("sina", "is_active"), ("sina", "is_supervisor")],
)
def test_whoever_is_disabled_or_loses_the_role_sees_nothing_at_once(clinic, name, field):
    someone = getattr(clinic, name)
    setattr(someone, field, False)
    someone.save()
    assert not Episode.objects.visible_to(someone).exists()


def test_after_a_transfer_each_therapist_sees_their_own_episode(clinic):

    new = cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam)
    assert set(Episode.objects.visible_to(clinic.olga)) == {clinic.olgas}
    assert set(Episode.objects.visible_to(clinic.carl)) == {clinic.carls, new}
