"""A second, slow reading of what became of each flag: asked of the database, one deep query a question.

Until the rule moved to `alliance.measurement.standing` this was the rule itself. It shares no line with it.
"""

from datetime import timedelta

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils import timezone

from sessions_app.courses.models import Attendance, Rating, TherapySession
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag

SAME_FALL = ("A", "D", "E", "J")
SHIPPED = {"badge_fall": 20, "sudden_fall": 40}  # tenths, clinical.md section 2


def states(now):
    """{row number of a flag that stands: (settled, not needed, put off, same fall, calls)}."""
    return {
        flag.pk: (flag.settled, flag.not_needed, flag.put_off, flag.same_fall, _calls(flag))
        for flag in with_states(Flag.objects.standing(), now)
    }


def _calls(flag):
    quiet = flag.settled or flag.not_needed or flag.put_off or flag.same_fall
    return flag.on_work_list and not quiet


def with_states(flags, now):
    talks = Discussion.objects.standing()
    since = talks.filter(
        session__episode=OuterRef("session__episode"), session__number__gt=OuterRef("session__number")
    )
    before_it_came = talks.filter(
        session=OuterRef("session"),
        flags__instrument=OuterRef("instrument"),
        discussed_at__gte=OuterRef("rating__received_at"),
        discussed_at__lt=OuterRef("raised_at"),
    )
    settled = (
        Exists(since)
        | Exists(talks.filter(flags=OuterRef("pk")))
        | (Q(rating__replaces__isnull=True) & Exists(before_it_came))
    )
    not_needed = Deferral.objects.standing().filter(kind="not_needed", flags=OuterRef("pk"))
    limits = {name: _limit(name) for name in SHIPPED}
    return flags.alias(at_most=_at_most(), **limits).annotate(
        settled=Case(When(settled, then=True), default=False),
        not_needed=Exists(not_needed),
        put_off=Exists(_putting_off(now).filter(flags=OuterRef("pk"))),
        same_fall=Case(
            When(rule__in=SAME_FALL, on_work_list=True, then=Exists(_talked_about_before())),
            default=Value(value=False),
        ),
    )


def _putting_off(now):
    """Until the day of the next session that is planned or took place, four weeks at most."""
    come = TherapySession.objects.filter(
        episode=OuterRef("session__episode"),
        attendance__in=[Attendance.PLANNED, Attendance.ATTENDED],
        held_at__date__gt=OuterRef("decided_on"),
        held_at__date__lte=timezone.localdate(now),
    )
    later = Deferral.objects.standing().filter(kind="later", deferred_at__gt=now - timedelta(days=28))
    return later.annotate(decided_on=TruncDate("deferred_at")).filter(~Exists(come))


def _at_most():
    """The total; of a partial rating the most that it can have been, where the flag says so."""
    return Coalesce("rating__total", Cast(KT("evidence__at_most"), IntegerField()))


def _limit(name):
    return Coalesce(Cast(KT(f"evidence__{name}"), IntegerField()), Value(SHIPPED[name]))


def _talked_about_before():
    settled = Q(
        discussions__withdrawn_at__isnull=True, discussions__discussed_at__lte=OuterRef("raised_at")
    ) | Q(
        deferrals__kind=Deferral.Kind.NOT_NEEDED,
        deferrals__undone_at__isnull=True,
        deferrals__deferred_at__lte=OuterRef("raised_at"),
    )
    was_up = Rating.objects.complete().filter(
        session__episode=OuterRef("session__episode"),
        session__number__gt=OuterRef("session__number"),
        session__number__lt=OuterRef(OuterRef("session__number")),
        total__gte=OuterRef("at_most") + OuterRef(OuterRef("sudden_fall")),
    )
    return (
        Flag.objects.standing()
        .alias(at_most=_at_most())
        .filter(
            settled,
            ~Exists(was_up),
            rule__in=(*SAME_FALL, "C"),
            instrument=OuterRef("instrument"),
            session__episode=OuterRef("session__episode"),
            session__number__lt=OuterRef("session__number"),
            session__number__gte=OuterRef("session__number") - 4,
            at_most__lt=OuterRef("at_most") + OuterRef("badge_fall"),
        )
    )
