"""Seen before the session: what the access log says, found once, kept, and counted."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.process import Share
from alliance.models import AuditEvent
from clients import cover_actions, merge_actions
from clients.models import Cover, Episode
from sessions_app.flags import checks, process_measures, recompute
from sessions_app.flags.conclude import conclude, conclude_many
from sessions_app.flags.looks_before import LookBefore
from sessions_app.flags.process_days import ProcessDay
from sessions_app.intake import session_actions
from tests import cast

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def seen(person):
    return process_measures.read([person], timezone.now() + 3 * DAY)[person.pk].seen


def look(person, episode, at, action="viewed"):
    """A line of the log, dated `at`."""
    code = episode.client.code
    of = {"clients": [code.hex]} if action == "listed" else {"client": code, "entity_code": episode.code}
    return AuditEvent.objects.create(action=action, entity="episode", actor=person.pk, at=at, **of)


@pytest.fixture
def rated(clinic):
    """A first session with a rating, three days ago."""
    first = cast.therapy_session(clinic.olgas, ago=3 * DAY)
    cast.rating(first, 380)
    return first


def held(clinic, at):
    """A second session that began then. The first rating came in before it."""
    return cast.therapy_session(clinic.olgas, held_at=at)


@pytest.fixture
def begins(rated):
    return timezone.now() + timedelta(minutes=1)


def after(clinic, begins):
    conclude(episode=clinic.olgas, now=begins + HOUR)


class TestWhatCounts:
    @pytest.mark.parametrize("action", ["viewed", "listed"])
    @pytest.mark.parametrize(
        ("before", "counts"),
        [(timedelta(seconds=1), 1), (24 * HOUR, 1), (24 * HOUR + timedelta(seconds=1), 0), (timedelta(0), 0)],
    )
    def test_a_look_in_the_24_hours_before(self, clinic, begins, action, before, counts):
        look(clinic.olga, clinic.olgas, begins - before, action)
        held(clinic, begins)
        after(clinic, begins)
        assert seen(clinic.olga) == Share(counts, 1)

    def test_the_first_session_has_nothing_to_see(self, clinic, rated):
        assert seen(clinic.olga) == Share(0, 0)

    def test_a_look_before_the_session_before_is_of_that_one(self, clinic, begins):
        look(clinic.olga, clinic.olgas, begins - 3 * HOUR)
        cast.therapy_session(clinic.olgas, held_at=begins - 2 * HOUR)
        held(clinic, begins)
        after(clinic, begins)
        assert not LookBefore.objects.get(session__held_at=begins).looked

    def test_a_look_of_somebody_else_is_none_and_of_a_colleague_who_covers_is_one(self, clinic, begins):
        for person in (clinic.sina, clinic.carl):
            look(person, clinic.olgas, timezone.now())
        held(clinic, begins)
        after(clinic, begins)
        assert seen(clinic.olga) == Share(0, 1)
        today = timezone.localdate()
        cover_actions.start(
            episodes=[clinic.olgas], colleague=clinic.carl, starts_on=today, ends_on=today, by=clinic.olga
        )
        recompute_looks(clinic, begins)
        assert seen(clinic.olga) == Share(1, 1)

    def test_a_look_of_a_colleague_outside_the_days_of_the_cover_is_none(self, clinic, begins):
        """They saw it in another role, such as supervisor or administrator."""
        look(clinic.carl, clinic.olgas, begins - HOUR)
        held(clinic, begins)
        today = timezone.localdate(begins - HOUR)
        cover = {"episodes": [clinic.olgas], "colleague": clinic.carl, "by": clinic.olga}
        (later,) = cover_actions.start(starts_on=today + DAY, ends_on=today + 2 * DAY, **cover)
        recompute_looks(clinic, begins)
        assert seen(clinic.olga) == Share(0, 1)
        Cover.objects.filter(pk=later.pk).update(
            starts_on=today, ended_at=begins - 2 * HOUR, ended_by=clinic.olga
        )
        recompute_looks(clinic, begins)
        assert seen(clinic.olga) == Share(0, 1), "it was ended before"
        Cover.objects.filter(pk=later.pk).update(ended_at=begins, ended_by=clinic.olga)
        recompute_looks(clinic, begins)
        assert seen(clinic.olga) == Share(1, 1)

    def test_another_clients_look_is_none(self, clinic, begins):
        look(clinic.olga, cast.episode(clinic.olga, "K-9"), begins - HOUR)
        held(clinic, begins)
        after(clinic, begins)
        assert seen(clinic.olga) == Share(0, 1)

    def test_the_pages_themselves_leave_such_looks(self, clinic, begins, sign_in):
        browser = sign_in(clinic.olga)
        browser.get(reverse("dashboard:work_list"))
        held(clinic, begins)
        after(clinic, begins)
        assert seen(clinic.olga) == Share(1, 1)

    def test_a_session_to_come_does_not_count_yet(self, clinic, begins):
        held(clinic, begins)
        conclude(episode=clinic.olgas, now=begins - timedelta(seconds=1))
        assert seen(clinic.olga) == Share(0, 0)


def recompute_looks(clinic, begins):
    conclude_many(episodes=[clinic.olgas.pk], now=begins + HOUR, looks_anew=True)


class TestKept:
    def test_a_session_that_was_moved_is_found_anew(self, clinic, begins):
        look(clinic.olga, clinic.olgas, begins - timedelta(seconds=2))
        session = held(clinic, begins)
        after(clinic, begins)
        assert seen(clinic.olga) == Share(1, 1)
        session_actions.change_session(
            session=session,
            held_at=begins - timedelta(seconds=3),
            modality="video",
            attendance="attended",
            by=clinic.olga,
        )
        after(clinic, begins)
        assert seen(clinic.olga) == Share(0, 1)

    def test_a_voided_session_counts_no_more(self, clinic, begins):
        look(clinic.olga, clinic.olgas, begins - HOUR)
        session = held(clinic, begins)
        after(clinic, begins)
        session_actions.void_session(session=session, why="x", by=clinic.olga)
        assert seen(clinic.olga) == Share(0, 0)

    def test_after_a_merge_the_looks_at_the_former_record_count(self, clinic, begins):
        look(clinic.olga, clinic.olgas, begins - HOUR)
        other = cast.episode(clinic.carl, "K-1b")
        seen_codes = [one.code for one in (clinic.olgas, other)]
        merge_actions.merge_clients(
            kept=other.client, merged=clinic.olgas.client, seen=seen_codes, by=clinic.adam
        )
        clinic.olgas = Episode.objects.get(pk=clinic.olgas.pk)
        held(clinic, begins)
        after(clinic, begins)
        assert seen(clinic.olga) == Share(1, 1)

    def test_recompute_rebuilds_what_was_lost(self, clinic, begins, monkeypatch):
        look(clinic.olga, clinic.olgas, begins - HOUR)
        held(clinic, begins)
        after(clinic, begins)
        LookBefore.objects.all().delete()
        ProcessDay.objects.update(seen=7, to_see=9)
        monkeypatch.setattr(timezone, "now", lambda: begins + HOUR)
        recompute.begin(by=None)
        list(recompute.go_on())
        assert seen(clinic.olga) == Share(1, 1)
        assert not list(checks.differing([clinic.olgas.pk]))
        assert not list(checks.differing_days())

    def test_what_was_found_is_not_looked_up_again(self, clinic, begins):
        held(clinic, begins)
        after(clinic, begins)
        look(clinic.olga, clinic.olgas, begins - HOUR)
        after(clinic, begins)
        assert seen(clinic.olga) == Share(0, 1), "the log is only ever added to, with lines of now"
