"""Supervision and cover, with a second person where they would open ratings (docs/adr/0068).

Pages and imports call these, and never the actions behind them: a test looks.
"""

from collections.abc import Collection
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone

from alliance.approvals import ApprovalRequest
from alliance.models import User
from alliance.stale_forms import Opened
from clients import approval_kinds, cover_actions, day_actions, sight, supervision_actions
from clients.approval_actions import do_or_ask
from clients.approval_kinds import ApprovalKind, What, name_of, person_of, stored
from clients.models import Cover, Episode, EpisodeQuerySet, Supervision
from clients.plausible_days import said


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _days(first: date, last: date | None) -> dict[str, str | None]:
    return {"starts_on": first.isoformat(), "ends_on": last.isoformat() if last else None}


# --- A supervision --------------------------------------------------------------------------------


def _start(what: What, person: User | None, *, by: User, until: datetime | None = None) -> UUID:
    made = supervision_actions.start_supervision(
        supervisor=person_of(what["supervisor"]),
        therapist=person_of(what["therapist"]),
        starts_on=date.fromisoformat(what["starts_on"]),
        by=by,
    )
    if last_day := _day(what.get("ends_on")):
        supervision_actions.end_supervision(supervision=made, last_day=last_day, by=by)
    if until:
        Supervision.objects.filter(pk=made.pk).update(lapses_at=until)
    return made.code


def _lapse(made: UUID, at: datetime) -> None:
    """The day is kept for the log of who supervised; the moment closes it today."""
    today = timezone.localdate()
    rows = Supervision.objects.filter(code=made)
    rows.filter(starts_on__lte=today).update(lapses_at=at, ends_on=today)
    rows.filter(starts_on__gt=today).delete()


def _of_therapist(what: What, person: User | None) -> EpisodeQuerySet:
    return Episode.objects.filter(therapist=what["therapist"])


def _said_supervision(what: What, person: User | None) -> str:
    return (
        f"{name_of(what['supervisor'])} supervises {name_of(what['therapist'])}, and sees all their clients"
    )


SUPERVISION = approval_kinds.register(
    ApprovalKind(
        code="supervision",
        named="a supervision",
        said=_said_supervision,
        carry_out=_start,
        opens=_of_therapist,
        tells_no_labels=True,
        has_emergency=True,
        lapse=_lapse,
        stay=lambda made: Supervision.objects.filter(code=made).update(lapses_at=None),
    )
)


def start_supervision(
    *, supervisor: User, therapist: User, starts_on: date, by: User, ends_on: date | None = None
) -> Supervision | ApprovalRequest:
    """At once where the therapist has no marks yet, or is the one who asks."""
    what = {"supervisor": str(supervisor.pk), "therapist": str(therapist.pk), **_days(starts_on, ends_on)}
    return do_or_ask(
        kind=SUPERVISION,
        what=what,
        person=supervisor,
        by=by,
        opens=bool(sight.whose(_of_therapist(what, supervisor), but=[by])),
        act=lambda: Supervision.objects.get(code=_start(what, supervisor, by=by)),
    )


# --- Other days of one ----------------------------------------------------------------------------


def _other_days(what: What, person: User | None, *, by: User, until: datetime | None = None) -> Any:
    return day_actions.correct_supervision(
        supervision=stored(Supervision.objects, code=what["supervision"]),
        starts_on=date.fromisoformat(what["starts_on"]),
        ends_on=_day(what["ends_on"]),
        why=what["why"],
        by=by,
    )


def _of_supervision(what: What, person: User | None) -> EpisodeQuerySet:
    return Episode.objects.filter(therapist__supervisions_received__code=what["supervision"])


def _said_days(what: What, person: User | None) -> str:
    one = Supervision.objects.filter(code=what["supervision"]).first()
    until = _day(what["ends_on"])
    days = f"from {said(date.fromisoformat(what['starts_on']))} " + (f"to {said(until)}" if until else "on")
    return f"{one or 'A supervision that is gone'}, {days}"


SUPERVISION_DAYS = approval_kinds.register(
    ApprovalKind(
        code="supervision days",
        named="other days of a supervision",
        said=_said_days,
        carry_out=_other_days,
        opens=_of_supervision,
        tells_no_labels=True,
    )
)


def _is_wider(supervision: Supervision, first: date, last: date | None) -> bool:
    """Whether some day from today on would be in it that is not in it so far."""
    was = Supervision.objects.filter(pk=supervision.pk).first()
    if was is None:
        return False
    today, far = timezone.localdate(), date.max
    new = (max(first, today), last or far)
    old = (max(was.starts_on, today), was.ends_on or far)
    if new[0] > new[1]:
        return False
    return old[0] > old[1] or new[0] < old[0] or new[1] > old[1]


def correct_supervision(
    *,
    supervision: Supervision,
    starts_on: date,
    why: str,
    by: User,
    ends_on: date | None = None,
    opened_with: Opened | None = None,
) -> Any:
    """At once where no day from today on is added."""
    what = {"supervision": str(supervision.code), "why": why, **_days(starts_on, ends_on)}
    act = partial(
        day_actions.correct_supervision,
        supervision=supervision,
        starts_on=starts_on,
        ends_on=ends_on,
        why=why,
        by=by,
        opened_with=opened_with,
    )
    return _wider_or_not(supervision, what, starts_on, ends_on, by, act)


def end_supervision(
    *, supervision: Supervision, last_day: date, by: User, opened_with: Opened | None = None
) -> Any:
    """At once, but for a last day that is later than the one that stands."""
    why = "Another last day"
    what = {
        "supervision": str(supervision.code),
        "why": why,
        **_days(supervision.starts_on, last_day),
    }
    act = partial(
        supervision_actions.end_supervision,
        supervision=supervision,
        last_day=last_day,
        by=by,
        opened_with=opened_with,
    )
    return _wider_or_not(supervision, what, supervision.starts_on, last_day, by, act)


def _wider_or_not(
    supervision: Supervision, what: dict[str, Any], first: date, last: date | None, by: User, act: Any
) -> Any:
    opens = _is_wider(supervision, first, last) and sight.whose(_of_supervision(what, None), but=[by])
    return do_or_ask(
        kind=SUPERVISION_DAYS,
        what=what,
        person=supervision.supervisor,
        by=by,
        opens=bool(opens),
        act=act,
    )


# --- Cover ----------------------------------------------------------------------------------------


def _of_cover(what: What, person: User | None) -> EpisodeQuerySet:
    return Episode.objects.filter(code__in=what["episodes"])


def _cover(what: What, person: User | None, *, by: User, until: datetime | None = None) -> UUID:
    episodes = list(_of_cover(what, person).select_related("client", "therapist"))
    if len(episodes) != len(what["episodes"]):
        cover_actions.refuse_changed()
    first = date.fromisoformat(what["starts_on"])
    made = cover_actions.start(
        episodes=episodes,
        colleague=person_of(what["colleague"]),
        starts_on=first,
        ends_on=date.fromisoformat(what["ends_on"]),
        by=by,
    )
    if until:
        Cover.objects.filter(pk__in=[one.pk for one in made]).update(lapses_at=until)
    return made[0].made_together


def _said_cover(what: What, person: User | None) -> str:
    count = len(what["episodes"])
    some = "1 client" if count == 1 else f"{count} clients"
    days = (
        f"from {said(date.fromisoformat(what['starts_on']))} to {said(date.fromisoformat(what['ends_on']))}"
    )
    return f"{name_of(what['colleague'])} covers {some} of {_named(_of_cover(what, person))} {days}"


def _named(episodes: EpisodeQuerySet) -> str:
    therapists = User.objects.filter(episodes__in=episodes.values("pk")).distinct().order_by("name")
    return " and ".join(str(one) for one in therapists) or "somebody no longer listed"


def _lapse_cover(made: UUID, at: datetime) -> None:
    Cover.objects.filter(made_together=made).update(lapses_at=at)


COVER = approval_kinds.register(
    ApprovalKind(
        code="cover",
        named="a cover",
        said=_said_cover,
        carry_out=_cover,
        opens=_of_cover,
        has_emergency=True,
        lapse=_lapse_cover,
        stay=lambda made: Cover.objects.filter(made_together=made).update(lapses_at=None),
    )
)


def start_cover(
    *, episodes: Collection[Episode], colleague: User, starts_on: date, ends_on: date, by: User
) -> list[Cover] | ApprovalRequest:
    """At once where those who see the clients arrange it: their therapist, or who supervises that therapist."""
    what = {
        "episodes": sorted(str(one.code) for one in episodes),
        "colleague": str(colleague.pk),
        **_days(starts_on, ends_on),
    }
    pks = [one.pk for one in episodes]
    unseen = Episode.objects.filter(pk__in=pks).exclude(pk__in=Episode.objects.visible_to(by).values("pk"))
    return do_or_ask(
        kind=COVER,
        what=what,
        person=colleague,
        by=by,
        opens=bool(sight.whose(unseen)),
        act=partial(
            cover_actions.start,
            episodes=episodes,
            colleague=colleague,
            starts_on=starts_on,
            ends_on=ends_on,
            by=by,
        ),
    )
