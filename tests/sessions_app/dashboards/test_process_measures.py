"""The supervisor's page: how feedback is collected and talked about, in figures that stand with their counts."""

from dataclasses import astuple
from datetime import timedelta
from uuid import uuid4

import pytest

from alliance.measurement.process import Share
from alliance.models import Role
from clients.models import Episode, Supervision
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance, Rating
from sessions_app.dashboards import process_figures
from sessions_app.flags import process_measures
from sessions_app.flags.models import Flag
from sessions_app.intake import session_actions
from tests import cast
from tests.sessions_app.caseloads import DAY, HOUR, LENGTH, NOW, fallen, read, talk

pytestmark = pytest.mark.usefixtures("today", "former_list")


@pytest.mark.parametrize(
    ("share", "counts", "note"),
    [
        (Share(0, 0), "no sessions", ""),
        (Share(0, 1), "0 of 1", "too few for a rate"),
        (Share(9, 9), "9 of 9", "too few for a rate"),
        (Share(8, 10), "8 of 10 (80 %)", "95 % interval: 49 to 95 %, not dependable"),
        (Share(29, 29), "29 of 29 (100 %)", "95 % interval: 88 to 100 %, not dependable"),
        (Share(41, 48), "41 of 48 (85 %)", "95 % interval: 72 to 93 %"),
    ],
)
def test_a_share_in_words(share, counts, note):
    assert astuple(process_figures.share_in_words("Rated", share, "sessions")) == ("Rated", counts, note)


def test_nothing_at_all_is_no_rate(clinic):
    (row,) = read(clinic).measures
    assert (row.name, row.active, row.open_flags, row.overdue) == ("Olga", "1", "0", "0")
    assert [share.counts for share in row.shares] == [
        *["no sessions"] * 4,
        "no low points",
        "no sessions",
    ]


def measures(clinic, now=NOW):
    cast.conclude_everything()
    return process_measures.read([clinic.olga], now)[clinic.olga.pk]


def test_collected_counts_the_sessions_of_90_days_from_the_day_after_their_rating_is_due(clinic):
    def held(ago, total=None, **fields):
        session = cast.therapy_session(clinic.olgas, ago=ago, **fields)
        if total:
            cast.rating(session, total)

    held(92 * DAY, 380)  # due 91 days ago: just too old
    held(91 * DAY, 380)
    held(50 * DAY, 380)
    held(40 * DAY)
    held(30 * DAY, attendance=Attendance.DID_NOT_ATTEND)
    held(20 * DAY, attendance=Attendance.CANCELLED)
    held(2 * DAY)  # its day ended yesterday
    held(DAY, 380)  # there is still time today
    held(-DAY, attendance=Attendance.PLANNED)
    found = measures(clinic)
    assert found.rated == Share(2, 4)
    assert found.missed == Share(1, 5)


def test_a_corrected_rating_counts_once_and_a_closed_episode_still_counts(clinic):
    session = cast.therapy_session(clinic.olgas, ago=5 * DAY)
    rating = cast.rating(session, 380)
    correct(rating)
    Episode.objects.update(closed_on=NOW.date(), ending="planned")
    assert measures(clinic).rated == Share(1, 1)


def correct(rating):
    again = RatingGrant.objects.get(pk=rating.grant_id)
    again.pk, again.code, again.token_hash = None, uuid4(), "of another grant"
    again.form_set = uuid4()
    again.save()
    fields = {name: getattr(rating, name) for name in ("session", "instrument", "instrument_version", "mode")}
    Rating.objects.create(**fields, grant=again, answers=rating.answers, total=370, replaces=rating)


NEXT_ENDED = NOW - 5 * DAY + LENGTH


@pytest.mark.parametrize(
    ("talked_at", "share"),
    [
        (NOW - 12 * DAY, Share(1, 1)),  # in the session
        (NEXT_ENDED, Share(1, 1)),  # in the next
        (NEXT_ENDED + 24 * HOUR, Share(1, 1)),  # noted the day after it
        (NEXT_ENDED + 24 * HOUR + timedelta(seconds=1), Share(0, 1)),
        (None, Share(0, 1)),
    ],
)
def test_talked_about_in_time_is_by_the_next_session(clinic, talked_at, share):
    session = flagged_twelve_days_ago(clinic)
    cast.therapy_session(clinic.olgas, ago=5 * DAY)
    if talked_at:
        talk(session, by=clinic.olga, at=talked_at)
    assert measures(clinic).talked == share


def flagged_twelve_days_ago(clinic):
    session = cast.therapy_session(clinic.olgas, ago=12 * DAY)
    cast.rating(session, 340)  # a new A alone: the first rating of the episode
    Flag.objects.update(raised_at=session.ends_at)
    return session


@pytest.mark.parametrize(
    ("next_ago", "attendance", "counted"),
    [
        (2 * DAY, Attendance.ATTENDED, True),
        (DAY, Attendance.ATTENDED, False),
        (5 * DAY, Attendance.DID_NOT_ATTEND, False),
        (5 * DAY, Attendance.CANCELLED, False),
        (None, None, False),
    ],
)
def test_a_flag_counts_once_its_next_session_is_over(clinic, next_ago, attendance, counted):
    flagged_twelve_days_ago(clinic)
    if next_ago:
        cast.therapy_session(clinic.olgas, ago=next_ago, attendance=attendance)
    assert measures(clinic).talked == Share(0, int(counted))


def test_a_flag_that_came_after_its_time_does_not_count(clinic):
    """From an import, or under new settings: it could not have been talked about by then."""
    flagged_twelve_days_ago(clinic)
    cast.therapy_session(clinic.olgas, ago=5 * DAY)
    Flag.objects.update(raised_at=NOW - DAY)
    assert measures(clinic).talked == Share(0, 0)


@pytest.mark.parametrize("rules", [{"enabled": {"A": False}}, {"cutoff": 300}], ids=["off", "another cutoff"])
def test_a_flag_that_no_longer_stands_does_not_count(clinic, rules):
    flagged_twelve_days_ago(clinic)
    cast.therapy_session(clinic.olgas, ago=5 * DAY)
    assert measures(clinic).talked == Share(0, 1)
    cast.choose_rules(clinic.adam, **rules)
    assert measures(clinic).talked == Share(0, 0)


def test_two_episodes_of_a_therapist_add_up_and_a_write_replaces_what_it_counted_before(clinic):
    flagged_twelve_days_ago(clinic)
    other = cast.episode(clinic.olga, "K-8")
    cast.rating(cast.therapy_session(other, ago=12 * DAY), 380)
    assert measures(clinic).rated == Share(2, 2)
    session_actions.change_session(
        session=cast.therapy_session(other, ago=12 * DAY),
        held_at=NOW - 11 * DAY,
        modality="video",
        attendance=Attendance.DID_NOT_ATTEND,
        by=clinic.olga,
    )
    assert measures(clinic).missed == Share(1, 3)
    assert measures(clinic, NOW + 200 * DAY).rated == Share(0, 0)


def test_open_flags_are_counted_with_the_age_of_the_oldest(clinic):
    fallen(clinic.olgas, ago=2 * DAY)
    fallen(cast.episode(clinic.olga, "K-3"), ago=20 * DAY)
    assert read(clinic).measures[0].open_flags == "4 (the oldest: 20 days)"


def test_supervisees_stand_by_the_alphabet_and_no_score_is_among_their_figures(clinic):
    for name in ("bea", "Zoe", "Anna"):
        therapist = cast.person(name, Role.THERAPIST)
        Supervision.objects.create(supervisor=clinic.sina, therapist=therapist, starts_on=cast.STARTED)
        fallen(cast.episode(therapist, f"of {name}"), first=370)
    rows = read(clinic).measures
    assert [row.name for row in rows] == ["Anna", "bea", "Olga", "Zoe"]
    assert not any("37" in text or "32" in text for row in rows for text in map(str, astuple(row)))
