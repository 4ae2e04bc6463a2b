"""One client's course, read once: every row that the client's page shows, and the facts made of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from django.db.models import Prefetch

from alliance.measurement.standing import FlagKey
from clients.models import Episode
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.courses.rating_state import with_waits
from sessions_app.flags import answered_flags, course
from sessions_app.flags.course import RatedSession
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.discussion_changes import DiscussionChange
from sessions_app.flags.facts import (
    CourseFacts,
    DeferralFact,
    FlagFact,
    SessionFact,
    TalkFact,
    rating_fact,
)
from sessions_app.flags.models import Discussion, Flag
from sessions_app.instruments import promises
from sessions_app.instruments.promises import Door
from sessions_app.instruments.rule_settings import RuleSettings

Row = TypeVar("Row", Flag, Discussion, Deferral)


@dataclass(frozen=True)
class CourseReading:
    """The rows of one episode. sessions: in the order of their numbers; ratings: {session: the one that counts}."""

    episode: Episode
    now: datetime
    sessions: list[TherapySession]
    ratings: dict[int, Rating]
    all_flags: list[Flag]  # withdrawn ones too
    all_talks: list[Discussion]  # oldest first, each with its changes; those that were taken back too
    all_deferrals: list[Deferral]  # oldest first, each that stands with `holds`
    all_follow_ups: list[FollowUp]  # oldest first
    # {session: its rating, which was promised to be the therapist's alone}, where the reader is not the therapist
    withheld: Mapping[int, Rating] = field(default_factory=dict)

    def in_supervision(self) -> "CourseReading":
        """Without the marks that were promised to be the therapist's alone, and without the flags from there on.

        A later flag compares with them: "4.5 lower than last time" would tell what nobody may see.
        """
        withheld = {pk: one for pk, one in self.ratings.items() if not promises.allows(one, Door.SUPERVISOR)}
        if not withheld:
            return self
        numbers = {session.pk: session.number for session in self.sessions}
        first = min(numbers[pk] for pk in withheld)
        return replace(
            self,
            ratings={pk: one for pk, one in self.ratings.items() if pk not in withheld},
            all_flags=[flag for flag in self.all_flags if numbers[flag.session_id] < first],
            withheld=withheld,
        )

    @cached_property
    def talks(self) -> list[Discussion]:
        """Those that stand."""
        return [talk for talk in self.all_talks if talk.withdrawn_at is None]

    @cached_property
    def deferrals(self) -> list[Deferral]:
        """Those that stand."""
        return [deferral for deferral in self.all_deferrals if deferral.undone_at is None]

    @cached_property
    def follow_ups(self) -> dict[int, FollowUp]:
        """{discussion: the answer about it that stands}."""
        return {one.discussion_id: one for one in self.all_follow_ups if one.undone_at is None}

    @cached_property
    def facts(self) -> CourseFacts:
        return CourseFacts(
            sessions=[SessionFact(s.pk, s.number, s.held_at, s.ends_at, s.attendance) for s in self.sessions],
            ratings={
                pk: rating_fact(
                    rating,
                    rating.wording.edition if rating.wording else None,
                    in_supervision=promises.allows(rating, Door.SUPERVISOR),
                )
                for pk, rating in self.ratings.items()
            },
            flags={key_of(flag): _flag_fact(flag) for flag in self.all_flags},
            talks=[
                TalkFact(
                    talk.pk, talk.session_id, talk.discussed_at, bool(talk.agreed), keys_of(talk.flags.all())
                )
                for talk in self.talks
            ],
            deferrals=[
                DeferralFact(
                    one.pk,
                    one.session_id,
                    one.deferred_at,
                    one.kind == Deferral.Kind.LATER,
                    keys_of(one.flags.all()),
                )
                for one in self.deferrals
            ],
        )

    @cached_property
    def flags(self) -> list[Flag]:
        """Those that stand, with what became of each, in the order of the sessions."""
        rows = {key_of(flag): flag for flag in self.all_flags if flag.withdrawn_at is None}
        return answered_flags.answered(rows, self.facts, self.now)

    @property
    def put_off_until(self) -> list[datetime]:
        """The moment at which each deferral that only puts off ends."""
        return list(answered_flags.ends_of_deferrals(self.facts).values())

    def rated(self, rules: RuleSettings) -> list[RatedSession]:
        # A session whose marks are withheld is no gap.
        shown = [session for session in self.sessions if session.pk not in self.withheld]
        return course.of_rows(shown, self.ratings, self.now, rules)


def key_of(flag: Flag) -> FlagKey:
    return FlagKey(flag.session_id, flag.instrument, flag.rule)


def keys_of(flags: Iterable[Flag]) -> set[FlagKey]:
    return {key_of(flag) for flag in flags}


def _flag_fact(flag: Flag) -> FlagFact:
    stands = flag.withdrawn_at is None
    said = (flag.rating_id, flag.is_new, flag.on_work_list, flag.evidence, flag.raised_at)
    return FlagFact(flag.pk, key_of(flag), *said, stands)


def read(episode: Episode, now: datetime) -> CourseReading:
    """Everything of one episode; nine queries, however long the course is."""
    sessions = list(with_waits(TherapySession.objects.filter(episode=episode), now).order_by("number"))
    by_pk = {}
    for session in sessions:
        session.episode = episode
        by_pk[session.pk] = session
    standing = Rating.objects.standing().with_edition().filter(session__in=list(by_pk))
    flags = Flag.objects.filter(session__in=list(by_pk))
    keys = Prefetch("flags", Flag.objects.only("session_id", "instrument", "rule"))
    changes = Prefetch("changes", DiscussionChange.objects.select_related("changed_by"))
    talks = Discussion.objects.filter(session__in=list(by_pk))
    deferrals = Deferral.objects.filter(session__in=list(by_pk)).select_related("deferred_by", "undone_by")
    # By what they answer: the session after whose rating it was asked may have been voided since.
    follow_ups = FollowUp.objects.filter(discussion__session__in=list(by_pk)).select_related("undone_by")
    found = CourseReading(
        episode,
        now,
        sessions,
        {rating.session_id: rating for rating in standing.order_by("-received_at")},
        _of_sessions(flags.order_by("session", "rule"), by_pk),
        _of_sessions(
            talks.select_related("discussed_by")
            .prefetch_related(keys, changes)
            .order_by("discussed_at", "pk"),
            by_pk,
        ),
        _of_sessions(deferrals.prefetch_related(keys).order_by("deferred_at", "pk"), by_pk),
        list(follow_ups.order_by("noted_at", "pk")),
    )
    holding = answered_flags.holding(found.facts, now)
    for deferral in found.deferrals:
        deferral.holds = deferral.pk in holding
    return found


def _of_sessions(rows: Iterable[Row], sessions: dict[int, TherapySession]) -> list[Row]:
    """The same rows, each with its session, which is read already."""
    found = list(rows)
    for row in found:
        row.session = sessions[row.session_id]
    return found


def by_session(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.session_id].append(row)
    return found
