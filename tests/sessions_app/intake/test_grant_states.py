"""Any order of hand-over, link, room, opening, marks, taking back and time ends where a small model says.

SEQUENCES=10000 runs as many; the model below is written from docs/adr/0008 and 0009 and not from the code.
"""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from alliance.refused import Refused
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.intake import hand_over_actions, record_rating, sealed_upload, sending_actions, short_codes
from tests import cast
from tests.bench.sealed import parcel

SEQUENCES = int(os.environ.get("SEQUENCES", "60"))
OURS = {"Origin": "http://testserver"}
pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTES, DAYS = timedelta(minutes=1), timedelta(days=1)
# How long a form may be opened, by the way it came; marks are taken for seven days, by whichever way.
OPEN_FOR = {"tablet": 30 * MINUTES, "phone": 3 * DAYS, "paired": 30 * MINUTES}
LEAPS = (10 * MINUTES, 35 * MINUTES, 1 * DAYS, 3 * DAYS, 7 * DAYS)
numbers = count(1)
place = st.integers(0, 20)


@dataclass
class Grant:
    """What a grant should be. `rating`: the marks that stand; `aside`: those that are kept."""

    row: RatingGrant
    way: str
    made: datetime
    link: RatingGrant | None = None
    is_opened: bool = False
    is_withdrawn: bool = False
    rating: int | str | None = None
    aside: set[int | str] = field(default_factory=set)

    @property
    def is_sent(self):
        return self.way != "tablet"

    def may_be_opened(self, now):
        return now < self.made + OPEN_FOR[self.way]

    def is_late(self, now):
        return now >= self.made + 7 * DAYS

    def waits(self, now):
        never_opened = self.is_sent and not self.is_opened and not self.may_be_opened(now)
        return self.rating is None and not self.is_withdrawn and not self.is_late(now) and not never_opened


class Grants(RuleBasedStateMachine):
    clinic: cast.Clinic

    def __init__(self):
        super().__init__()
        self.travel = time_machine.travel(START, tick=False)
        self.clock = self.travel.start()
        number = next(numbers)
        self.episode = cast.episode(self.clinic.olga, f"S-{number}", opened_on=START.date())
        self.session = cast.therapy_session(self.episode)
        code = short_codes.pairing_code(sending_actions.ask_to_be_paired())
        self.tablet = sending_actions.pair(pairing_code=code, name=f"Room {number}", by=self.clinic.adam)
        self.grants: list[Grant] = []

    def teardown(self):
        self.travel.stop()

    @property
    def now(self):
        return timezone.now()

    @property
    def is_rated(self):
        return any(grant.rating is not None for grant in self.grants)

    def at(self, place):
        return self.grants[place % len(self.grants)]

    # --- What people do --------------------------------------------------------------------------

    def given(self, make, way):
        """A new grant takes the place of those that still wait; a rated session, or one of last week, takes none."""
        if self.is_rated or self.now >= self.session.ends_at + 7 * DAYS:
            with pytest.raises(Refused):
                make()
            return
        row = make()
        for grant in self.grants:
            grant.is_withdrawn |= grant.waits(self.now)
        self.grants.append(Grant(row, way, self.now))

    @rule()
    def hand_over(self):
        asked = {"episode": self.episode, "session": self.session, "by": self.clinic.olga}
        self.given(lambda: hand_over_actions.hand_over_now(**asked)[0], "tablet")

    @rule()
    def make_link(self):
        asked = {"episode": self.episode, "session": self.session, "by": self.clinic.olga}
        self.given(lambda: sending_actions.make_link(**asked).grant, "phone")

    @rule()
    def send_to_room(self):
        asked = {"episode": self.episode, "session": self.session, "by": self.clinic.olga}
        self.given(lambda: sending_actions.send(tablet=self.tablet, **asked), "paired")

    @precondition(lambda self: self.grants)
    @rule(place=place)
    def open_link(self, place):
        grant = self.at(place)
        if grant.way != "phone":
            return
        row = RatingGrant.objects.get(pk=grant.row.pk)
        can = not (self.is_rated or grant.is_withdrawn or grant.is_opened) and grant.may_be_opened(self.now)
        if can:
            assert sending_actions.open_on_phone(grant=row)
            grant.is_opened = True
        else:
            with pytest.raises(Refused):
                sending_actions.open_on_phone(grant=row)

    @rule()
    def room_looks(self):
        """The tablet opens the newest form it was sent, again after it was switched off too."""
        shown = [
            grant
            for grant in self.grants
            if grant.way == "paired" and grant.waits(self.now) and grant.may_be_opened(self.now)
        ]
        token = sending_actions.open_in_room(tablet=self.tablet)
        assert (token is not None) == bool(shown)
        if shown:
            assert RatingGrant.objects.with_token(token).get() == shown[-1].row
            shown[-1].is_opened = True

    @precondition(lambda self: self.grants)
    @rule(place=place)
    def take_back(self, place):
        grant = self.at(place)
        grant.is_withdrawn |= grant.waits(self.now)
        hand_over_actions.take_back(grant=grant.row, by=self.clinic.olga)

    @precondition(lambda self: self.grants)
    @rule(place=place)
    def decline(self, place):
        grant = self.at(place)
        did = grant.waits(self.now)
        grant.is_withdrawn |= did
        hand_over_actions.decline(grant=grant.row)
        assert RatingGrant.objects.get(pk=grant.row.pk).declined >= did

    @rule(leap=st.sampled_from(LEAPS))
    def time_passes(self, leap):
        self.clock.shift(leap)

    # --- What devices deliver ----------------------------------------------------------------------

    @precondition(lambda self: self.grants)
    @rule(place=place, goals=st.integers(0, 2))
    def upload(self, place, goals):
        self.deliver(self.at(place), goals)

    @precondition(lambda self: self.grants)
    @rule(place=place, nonsense=st.sampled_from(["101", "5,5", "nothing"]))
    def upload_nonsense(self, place, nonsense):
        self.deliver(self.at(place), nonsense)

    @precondition(lambda self: self.grants)
    @rule(place=place)
    def upload_twelve(self, place):
        for goals in range(20, 32):
            self.deliver(self.at(place), goals)

    def deliver(self, grant, goals):
        expected = self.expect(grant, goals)
        marks = {"mode": "line", **dict.fromkeys(cast.ITEMS, "70"), "goals": goals}
        sent = parcel(sealed_upload.token_for(grant.row), marks)
        reply = Client().post(reverse("rate:upload"), json.dumps(sent), "application/json", headers=OURS)
        assert (reply.status_code, reply.json()["stored"]) == (expected, expected not in {429})

    def expect(self, grant, goals):
        """The reply table; and what the grant is afterwards."""
        if isinstance(goals, str):
            return self.kept_aside(grant, goals, 422)
        if grant.rating == goals:
            return 429 if len(grant.aside) >= 10 else 200
        if grant.is_withdrawn or grant.is_late(self.now):
            return self.kept_aside(grant, goals, 410)
        if self.is_rated:
            return self.kept_aside(grant, goals, 409)
        grant.rating = goals
        return 201

    def kept_aside(self, grant, goals, status):
        if len(grant.aside) >= 10:
            return 429  # an equal copy too: each of these is a delivery of its own
        grant.aside.add(goals)
        return status

    # --- What holds at any time --------------------------------------------------------------------

    @invariant()
    def ratings_are_those_of_the_model(self):
        rows = Rating.objects.filter(session=self.session).values_list("grant", "answers__goals")
        assert list(rows) == [(g.row.pk, g.rating) for g in self.grants if g.rating is not None]

    @invariant()
    def what_is_kept_aside_is_that_of_the_model(self):
        kept = list(SetAsideRating.objects.filter(grant__in=[grant.row for grant in self.grants]))
        for grant in self.grants:
            rows = [row for row in kept if row.grant_id == grant.row.pk]
            numbers = {row.answers["goals"] for row in rows if row.answers}
            unread = sum(row.reason == SetAsideRating.Reason.INVALID for row in rows)
            assert numbers == {one for one in grant.aside if isinstance(one, int)}
            assert unread == sum(isinstance(one, str) for one in grant.aside)

    @invariant()
    def what_waits_is_what_the_model_waits_for(self):
        waiting = set(RatingGrant.objects.awaiting(self.now).filter(session=self.session))
        assert waiting == {grant.row for grant in self.grants if grant.waits(self.now)}
        assert len(waiting) <= 1


HOW = settings(
    max_examples=SEQUENCES,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def walk(clinic, caplog):
    caplog.set_level("ERROR", logger="django.request")
    Grants.clinic = clinic
    return lambda **more: run_state_machine_as_test(Grants, settings=settings(HOW, **more))


def test_any_order_ends_where_the_model_says(walk):
    walk()


def test_control_marks_that_are_taken_after_the_form_was_taken_back_are_seen(walk, monkeypatch):
    monkeypatch.setattr(record_rating, "_reason_to_set_aside", lambda grant, until: None)
    with pytest.raises(AssertionError, match=r"== \(410, True\)"):
        walk(max_examples=100, phases=[Phase.generate])
