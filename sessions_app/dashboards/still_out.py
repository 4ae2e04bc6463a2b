"""What `clients` asks about a course that ends (`clients.closing`): sessions, forms, and what is open in it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, Min, OuterRef
from django.utils import timezone

from alliance.models import User
from clients.closing import Days, OpenReasons, StillOut
from clients.models import Episode, EpisodeClosing, EpisodeQuerySet
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses.grants import SENT, RatingGrant
from sessions_app.courses.models import Attendance, Rating, SetAsideRating, TherapySession
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.flags import answered_flags
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Discussion
from sessions_app.intake import course_end_actions

DID_NOT_TAKE_PLACE = (Attendance.CANCELLED, Attendance.DID_NOT_ATTEND)


class CoursesOfTheClinic:
    """Implements `clients.closing.Courses`."""

    def still_out(self, ends: Mapping[int, date]) -> dict[int, StillOut]:
        now = timezone.now()
        sessions: dict[int, list[tuple[datetime, datetime, str]]] = defaultdict(list)
        rows = TherapySession.objects.filter(episode__in=list(ends)).exclude(
            attendance__in=DID_NOT_TAKE_PLACE
        )
        for episode, *session in rows.order_by("held_at").values_list(
            "episode", "held_at", "ends_at", "attendance"
        ):
            sessions[episode].append((session[0], session[1], session[2]))
        forms: dict[int, list[tuple[bool, datetime]]] = defaultdict(list)
        out = RatingGrant.every.awaiting(now).filter(session__episode__in=list(ends))
        for episode, channel, opened_at, until in out.values_list(
            "session__episode", "channel", "opened_at", "accept_until"
        ):
            forms[episode].append((channel in SENT and opened_at is None, until))
        return {
            episode: StillOut(**_sessions(sessions[episode], day, now), **_forms(forms[episode]))
            for episode, day in ends.items()
        }

    def open_reasons(self, episode: int) -> OpenReasons:
        flags = answered_flags.read(episode, timezone.now())
        answered = FollowUp.objects.standing().values("discussion")
        waits = EpisodeStanding.objects.filter(episode=episode, agreement__isnull=False)
        return OpenReasons(
            flags=sum(flag.calls for flag in flags),
            put_off=sum(flag.is_put_off for flag in flags),
            agreements=waits.exclude(agreement__in=answered).count(),
            set_aside=SetAsideRating.objects.to_settle().filter(session__episode=episode).count(),
        )

    def with_marks(self, episodes: EpisodeQuerySet) -> EpisodeQuerySet:
        of = {"session__episode": OuterRef("pk")}
        return episodes.filter(
            Exists(Rating.objects.filter(**of))
            | Exists(SetAsideRating.objects.filter(**of))
            | Exists(QuestionnaireResponse.objects.filter(**of))
            | Exists(Discussion.objects.filter(**of))
        )

    def days(self, episodes: Collection[int]) -> dict[int, Days]:
        rows = TherapySession.objects.filter(episode__in=list(episodes)).exclude(
            attendance=Attendance.CANCELLED
        )
        first = dict(rows.order_by().values_list("episode").annotate(Min("held_at")))
        return {pk: Days(timezone.localdate(first[pk]) if pk in first else None) for pk in episodes}

    def end(self, closing: EpisodeClosing, day: date, by: User) -> None:
        course_end_actions.end_course(closing=closing, day=day, by=by)

    def take_up(self, closing: EpisodeClosing, by: User) -> None:
        course_end_actions.take_up_course(closing=closing, by=by)

    def forget(self, episode: Episode) -> None:
        EpisodeStanding.objects.filter(episode=episode).delete()


def _sessions(rows: list[tuple[datetime, datetime, str]], day: date, now: datetime) -> dict[str, Any]:
    held = [
        timezone.localdate(held_at) for held_at, _, attendance in rows if attendance == Attendance.ATTENDED
    ]
    after = [one for one in held if one > day]
    planned = [
        (held_at, ends_at) for held_at, ends_at, attendance in rows if attendance == Attendance.PLANNED
    ]
    cancelled = [held_at for held_at, _ in planned if timezone.localdate(held_at) > day or held_at > now]
    return {
        "sessions": len(held),
        "held_after": len(after),
        "last_held": max(held, default=None),
        "planned_after": tuple(cancelled),
        "unsettled": sum(ends_at <= now and held_at not in cancelled for held_at, ends_at in planned),
    }


def _forms(rows: list[tuple[bool, datetime]]) -> dict[str, Any]:
    opened = [until for is_unopened, until in rows if not is_unopened]
    return {
        "forms_unopened": len(rows) - len(opened),
        "forms_open": len(opened),
        "accepted_until": max(opened, default=None),
    }
