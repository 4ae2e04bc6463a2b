"""A row in words, as a shell or an error page prints it: the session and the kind, never a mark and never a label."""

import pytest

from sessions_app.corrections import actions as decide
from sessions_app.courses.decisions import Settlement
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.flags import deferral_actions, recompute
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Flag
from sessions_app.flags.process_days import ProcessDay
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.corrections.marks import disputed

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(clinic):
    *_, last = cast.rated_course(clinic.olgas, [380, 330])
    aside = disputed(last, 250)
    decide.leave(aside=aside, by=clinic.olga)
    deferral = deferral_actions.defer(
        episode=clinic.olgas, flags=answered.calling(), kind="later", why="x", by=clinic.olga
    )
    run = recompute.begin(by=None)
    return {
        "flag": Flag.objects.get(rule="C"),
        "deferral": deferral,
        "standing": EpisodeStanding.objects.get(episode=clinic.olgas),
        "day": ProcessDay.objects.first(),
        "run": run,
        "aside": aside,
        "settlement": Settlement.objects.get(),
        "rating": Rating.objects.last(),
        "grant": RatingGrant.objects.last(),
    }


def test_every_row_has_words_that_hold_no_mark_and_no_label(rows):
    said = {name: str(row) for name, row in rows.items()}
    assert all(said.values())
    assert len(set(said.values())) == len(said)
    for text in said.values():
        assert "K-1" not in text
        assert "33.0" not in text


def test_a_flag_and_what_hangs_on_it_name_their_session(rows):
    for name in ("flag", "deferral", "rating"):
        assert "Session 2" in str(rows[name])
    assert rows["flag"].client_code == rows["deferral"].client_code == rows["aside"].client_code
    assert rows["settlement"].client_code == rows["rating"].client_code
