"""The rule in Python against the slow reading by queries, on random histories. HISTORIES=100000: `make reference`."""

import os
from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.utils import timezone

from clients.models import Client, Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance, Rating, TherapySession
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag
from tests import cast
from tests.sessions_app.flags.both_readings import by_the_rule
from tests.sessions_app.flags.standing_reference import states
from tests.site_role import left_here

HISTORIES = int(os.environ.get("HISTORIES", "400"))
AT_ONCE = 400
DAY = timedelta(days=1)
ATTENDANCES = [*[Attendance.ATTENDED] * 8, *Attendance.values]


class Histories:
    """Rows made at random, past every action: whatever can be stored has to be read alike."""

    def __init__(self, clinic, rng, now):
        self.clinic, self.rng, self.now = clinic, rng, now
        self.serial = 0

    def write(self, many):
        clients = Client.objects.bulk_create(Client(label=f"R-{n}", language="en") for n in range(many))
        episodes = Episode.objects.bulk_create(
            Episode(client=client, therapist=self.clinic.olga, opened_on=cast.STARTED) for client in clients
        )
        sessions = TherapySession.objects.bulk_create(
            session for episode in episodes for session in self.sessions(episode)
        )
        rated = [session for session in sessions if self.rng.random() < 0.85]
        self.ratings(rated)
        self.analyze()
        stand = {rating.session_id: rating for rating in Rating.objects.standing()}
        flags = Flag.objects.bulk_create(
            flag for session in sessions for flag in self.flags(session, stand.get(session.pk))
        )
        self.answers(flags)
        self.analyze()
        return episodes

    def analyze(self):
        """Or PostgreSQL plans the deep queries for the tables as some earlier test left them: minutes, not seconds."""
        if connection.vendor == "postgresql":
            models = [
                Episode,
                TherapySession,
                RatingGrant,
                Rating,
                Flag,
                Discussion,
                Discussion.flags.through,
            ]
            models += [Deferral, Deferral.flags.through]
            with left_here(), connection.cursor() as cursor:
                cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in models)}")

    def moment(self, near):
        return near + self.rng.choice([-1, 0, 0, 1, 1, 2, 9, 20]) * DAY * self.rng.random()

    def sessions(self, episode):
        count = self.rng.randint(1, 9)
        start = self.now - self.rng.choice([3, 5, 7]) * DAY * (count - self.rng.choice([0, 0, 1, 2]))
        for number in range(1, count + 1):
            held_at = start + (number - 1) * self.rng.choice([3, 5, 7]) * DAY
            held_at += self.rng.random() * DAY
            yield TherapySession(
                episode=episode,
                number=number,
                held_at=held_at,
                ends_at=held_at + timedelta(minutes=50),
                attendance=self.rng.choice(ATTENDANCES),
            )

    def ratings(self, sessions):
        for corrects in (False, True):
            of = [s for s in sessions if self.rng.random() < 0.15] if corrects else sessions
            earlier = {rating.session_id: rating for rating in Rating.objects.filter(session__in=of)}
            grants = RatingGrant.objects.bulk_create(self.grant(session) for session in of)
            Rating.objects.bulk_create(self.rating(grant, earlier.get(grant.session_id)) for grant in grants)

    def grant(self, session):
        self.serial += 1
        return RatingGrant(
            session=session,
            instrument="session-rating",
            instrument_version="1",
            token_hash=f"random {self.serial}",
            channel="tablet",
            language="en",
            made_by=self.clinic.olga,
            open_until=self.now,
            accept_until=self.now,
        )

    def rating(self, grant, replaces):
        total = self.rng.choice([None, *range(280, 401, 10)])
        answers = cast.answers(total)
        return Rating(
            grant=grant,
            session=grant.session,
            instrument="session-rating",
            instrument_version="1",
            answers=answers,
            total=total,
            language="en",
            mode="line",
            received_at=self.moment(grant.session.ends_at),
            sha256="x" * 64,
            replaces=replaces,
        )

    def flags(self, session, rating):
        for rule in "ABCDEFGJL":
            if self.rng.random() < 0.6 or (rule != "G" and rating is None):
                continue
            limits = self.rng.choice([{}, {}, {"badge_fall": 5}, {"sudden_fall": 60}])
            if rating is not None and rating.total is None and rule in "ACJ":
                limits = {**limits, "at_most": self.rng.choice(range(280, 401, 10))}
            yield Flag(
                session=session,
                rating=None if rule == "G" else rating,
                instrument="session-rating",
                rule=rule,
                on_work_list=self.rng.random() < 0.7,
                evidence=limits,
                settings_version="x",
                raised_at=self.moment(rating.received_at if rating else session.ends_at),
                withdrawn_at=self.now if self.rng.random() < 0.1 else None,
            )

    def answers(self, flags):
        by_session = {}
        for flag in flags:
            by_session.setdefault(flag.session, []).append(flag)
        talks, decisions = [], []
        for session, raised in by_session.items():
            if self.rng.random() < 0.3:
                talks.append((self.talk(session), self.some(raised)))
            if self.rng.random() < 0.3:
                decisions.append((self.deferral(session), self.some(raised)))
        for model, pairs in ((Discussion, talks), (Deferral, decisions)):
            rows = model.objects.bulk_create(row for row, _ in pairs)
            through = model.flags.through
            name = f"{model._meta.model_name}_id"
            through.objects.bulk_create(
                through(**{name: row.pk, "flag_id": flag.pk})
                for row, (_, about) in zip(rows, pairs, strict=True)
                for flag in about
            )

    def some(self, flags):
        return [flag for flag in flags if self.rng.random() < 0.7] or flags[:1]

    def talk(self, session):
        withdrawn = self.rng.random() < 0.15
        return Discussion(
            session=session,
            said="x",
            discussed_at=self.moment(session.ends_at),
            discussed_by=self.clinic.olga,
            withdrawn_at=self.now if withdrawn else None,
            withdrawn_by=self.clinic.olga if withdrawn else None,
        )

    def deferral(self, session):
        undone = self.rng.random() < 0.15
        return Deferral(
            session=session,
            kind=self.rng.choice(Deferral.Kind.values),
            why="x",
            deferred_at=min(self.now, self.moment(session.ends_at)),
            deferred_by=self.clinic.olga,
            undone_at=self.now if undone else None,
            undone_by=self.clinic.olga if undone else None,
        )


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(max(1, HISTORIES // AT_ONCE)))
def test_both_say_the_same_of_every_flag(clinic, seed):
    now = timezone.now()
    episodes = Histories(clinic, Random(seed), now).write(min(HISTORIES, AT_ONCE))
    expected, found = states(now), by_the_rule(episodes, now)
    assert found == expected
    for place in range(5):  # each answer is given and withheld somewhere, or nothing was compared
        assert {state[place] for state in expected.values()} == {True, False}
