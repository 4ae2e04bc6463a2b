"""What the flag rules may look at: the ratings of one episode so far, of each series apart. Totals in tenths."""

from dataclasses import dataclass, field

from alliance.measurement.sentences import Evidence
from alliance.measurement.trends import Answers, CourseSession


@dataclass(slots=True)
class Series:
    """The complete ratings of one series so far, and which rules the last one raised."""

    totals: list[int] = field(default_factory=list)
    answers: list[Answers | None] = field(default_factory=list)  # of the same ratings
    held: dict[str, bool] = field(default_factory=dict)
    called: list[bool] = field(default_factory=list)  # of the same ratings: by J, or by a sudden fall
    left_out: frozenset[str] = frozenset()  # lines, at the rating before
    was_certainly_below: bool = False  # a partial rating, before any complete one
    # Of the A now standing: the totals at which it was new, and at which it last called for a talk.
    level_new_at: int = 0
    level_called_at: int = 0


@dataclass(slots=True)
class History:
    """What the rules may look at: everything up to and including the session now looked at."""

    session: CourseSession
    series: dict[str, Series] = field(default_factory=dict)
    now: Series = field(default_factory=Series)  # that of the session
    unrated: list[bool] = field(default_factory=list)  # attended sessions only, whatever was rated

    def add(self, session: CourseSession) -> None:
        self.session = session
        self.now = self.series.get(session.series) or self.series.setdefault(session.series, Series())
        if session.total is not None:
            self.totals.append(session.total)
            self.answers.append(session.answers)
        if session.attended:
            self.unrated.append(session.total is None and session.overdue)

    def close(self, *, called: bool, is_certainly_below: bool) -> None:
        """Keep what the rules of the next session ask about this one: whether it called by J or a sudden fall."""
        session, now = self.session, self.now
        if session.total is not None:
            now.called.append(called)
        elif is_certainly_below:
            now.was_certainly_below = True
        if answers := session.answers:
            left_out = frozenset(line for line, answer in answers.items() if answer is None)
            now.left_out = left_out if len(left_out) < len(answers) else now.left_out

    @property
    def total(self) -> int | None:
        """Of a partial rating the most favourable one."""
        return self.session.at_most if self.session.total is None else self.session.total

    @property
    def before(self) -> list[int]:
        """The complete ratings before."""
        return self.totals if self.session.total is None else self.totals[:-1]

    @property
    def bound(self) -> Evidence:
        """What a finding says instead of a total, or beside it."""
        assert self.total is not None  # the rules that ask have looked
        return {"at_most" if self.session.total is None else "total": self.total}

    @property
    def totals(self) -> list[int]:
        return self.now.totals

    @property
    def answers(self) -> list[Answers | None]:
        return self.now.answers
