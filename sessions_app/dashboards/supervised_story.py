"""The story of a low point with what was agreed about it in supervision, for those two who may read it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, time

from django.utils import timezone

from sessions_app.conversations import story
from sessions_app.conversations.story import Chapter, Kind, Moment
from sessions_app.courses.models import TherapySession
from sessions_app.supervision.beside import Line

SAID = "Talked about in supervision."


def with_supervision(
    chapters: Sequence[Chapter], talks: Iterable[Line], sessions: Iterable[TherapySession], now: datetime
) -> list[Chapter]:
    """Each chapter with the talks in supervision that fell into it: from its first session to its last one."""
    days = {session.number: timezone.localdate(session.held_at) for session in sessions}
    moments = [_moment(talk, now) for talk in talks]
    if not moments:
        return list(chapters)
    told = []
    for chapter in chapters:
        first = days[chapter.rupture.began]
        last = days[chapter.rupture.ended] if chapter.rupture.ended else timezone.localdate(now)
        within = [one for one in moments if first <= timezone.localdate(one.at) <= last]
        by_time = sorted(
            [*chapter.moments, *within], key=lambda one: (one.kind != Kind.FALL, one.at, one.kind)
        )
        told.append(replace(chapter, moments=by_time))
    return told


def _moment(talk: Line, now: datetime) -> Moment:
    """At the end of its day: supervision has a day and no time, and looks back on the sessions of that day."""
    at = timezone.make_aware(datetime.combine(talk.row.held_on, time(23, 59)))
    return Moment(at, story.day_of(at, now), Kind.SUPERVISION, SAID, agreed=talk.row.agreed)
