"""What the invented therapists did not talk about: put off until the next session, or needing no talk."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from django.utils import timezone

from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.demo import words
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Flag

RECENT = timedelta(days=8)
LONG_AGO = timedelta(days=56)


class Decisions:
    """Made beside the conversations, with dice of their own: the conversations stay as they were."""

    def __init__(self, seed: int, now: datetime) -> None:
        self._rng = Random(f"deferrals {seed}")
        self._now = now
        self._has_one_waiting: set[UUID] = set()
        self._has_put_off: set[UUID] = set()

    def waits(self, session: TherapySession, flags: list[Flag], following: Sequence[TherapySession]) -> bool:
        """Of the calls of the last days, each therapist has one still to talk about, and puts the next one off.

        The next session is still to come. Without the first a work list would be empty where it is short.
        """
        therapist = session.episode.therapist_id
        today = timezone.localdate(self._now)
        come = [
            one
            for one in following
            if one.attendance in {Attendance.ATTENDED, Attendance.PLANNED}
            and timezone.localdate(one.held_at) <= today
        ]
        fits = self._now - session.held_at < RECENT and not come and _calling(flags)
        if not fits or therapist in self._has_put_off:
            return False
        if therapist not in self._has_one_waiting:
            self._has_one_waiting.add(therapist)
            return True
        self._has_put_off.add(therapist)
        at = session.ends_at + timedelta(minutes=9)
        self._decide(session, flags, Deferral.Kind.LATER, words.PUT_OFF, at)
        return True

    def leaves(self, session: TherapySession, flags: list[Flag]) -> None:
        """Of what was never talked about, some of long ago was decided to need no talk."""
        if self._now - session.held_at < LONG_AGO or not _calling(flags) or self._rng.random() < 0.5:
            return
        at = session.ends_at + timedelta(hours=1)
        self._decide(session, flags, Deferral.Kind.NOT_NEEDED, words.NOT_NEEDED, at)

    def _decide(
        self,
        session: TherapySession,
        flags: list[Flag],
        kind: Deferral.Kind,
        whys: tuple[str, ...],
        at: datetime,
    ) -> None:
        deferral = Deferral.objects.create(
            session=session,
            kind=kind,
            why=self._rng.choice(whys),
            deferred_at=min(at, self._now),
            deferred_by=session.episode.therapist,
        )
        deferral.flags.set(_calling(flags))


def _calling(flags: list[Flag]) -> list[Flag]:
    return [flag for flag in flags if flag.on_work_list]
