"""You said, we changed: what therapist and client look at together, in the client's own words and language.

Facts of the client alone: what they wrote and said, what was agreed, whether it helped, their own marks. This
module reads no finding and no flag, so that no page made from it can show one; nor totals, cutoffs or figures.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_bidi, gettext_lazy
from django.utils.translation import gettext as _

from alliance import languages
from alliance.measurement import instruments
from alliance.measurement.instruments import Item, Wording
from clients.models import Episode
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses import wordings
from sessions_app.courses.models import Rating
from sessions_app.flags.models import Discussion
from sessions_app.instruments import offers
from sessions_app.instruments.lines import Line, has_faces

WIDTH, HEIGHT, MARGIN = 360, 172, 12
FLOOR = HEIGHT - 28  # below it the numbers of the agreements

HELPED = {
    FollowUp.Answer.HELPED: gettext_lazy("It helped"),
    FollowUp.Answer.PARTLY: gettext_lazy("It helped a little"),
    FollowUp.Answer.NOT_YET: gettext_lazy("Not yet"),
    FollowUp.Answer.NOT_TRIED: gettext_lazy("We did not try it"),
}


@dataclass(frozen=True)
class Entry:
    """Something the client wrote or said; one of `wrote` and `said`. `code` is the rating's or discussion's."""

    code: UUID
    at: datetime
    session: int  # its number
    wrote: str = ""
    language: str = ""  # of what the client wrote
    said: str = ""
    agreed: str = ""
    answer: str = ""  # of `FollowUp.Answer`
    number: int = 0  # of the agreement, as the lines show it; 0 where there is none

    @property
    def day(self) -> str:
        """As the language in force writes a day; in English as everywhere on this site."""
        style = "j F Y" if get_language() == "en" else "DATE_FORMAT"
        return languages.digits(date_format(timezone.localtime(self.at), style))

    @property
    def helped(self) -> str:
        return str(HELPED[FollowUp.Answer(self.answer)]) if self.answer else ""

    @property
    def sign(self) -> str:
        return languages.digits(self.number) if self.number else ""


@dataclass(frozen=True)
class MarksOfLine:
    """One line of the form over time: its question, its ends, the marks drawn and in words."""

    question: str
    low_end: str
    high_end: str
    drawn: SafeString
    faces: bool


@dataclass(frozen=True)
class Together:
    entries: list[Entry]
    lines: list[MarksOfLine]
    wording_language: str
    agreed: bool  # whether there is an agreement among the entries


def entries(episode: Episode) -> list[Entry]:
    """All that can be shown, the oldest first; two queries."""
    wrote = [
        Entry(
            one.code, min(one.session.ends_at, one.received_at), one.session.number, one.comment, one.language
        )
        for one in _ratings(episode)
        if one.comment
    ]
    return sorted([*wrote, *_conversations(episode)], key=lambda one: one.at)


def read(episode: Episode, chosen: Collection[str]) -> Together:
    """What the page shows, in the language in force: of the entries those whose code is in `chosen`."""
    shown = _numbered([one for one in entries(episode) if str(one.code) in chosen])
    first = min((one.session for one in shown), default=1)
    ratings = [one for one in _ratings(episode) if one.session.number >= first and _has_lines(one)]
    wording = _wording(ratings)
    return Together(
        entries=shown,
        lines=_lines(ratings, shown, wording) if ratings else [],
        wording_language=wording.language,
        agreed=any(one.agreed for one in shown),
    )


def _has_lines(rating: Rating) -> bool:
    """The page shows lines and no totals: an imported total without lines is not on it."""
    return not (rating.is_blank or rating.is_total_only)


def _ratings(episode: Episode) -> list[Rating]:
    standing = Rating.objects.standing().filter(session__episode=episode)
    return list(standing.select_related("session", "wording").order_by("session__number"))


def _conversations(episode: Episode) -> list[Entry]:
    answers = Prefetch("follow_ups", queryset=FollowUp.objects.standing(), to_attr="answers")
    rows = Discussion.objects.standing().filter(session__episode=episode)
    return [
        Entry(
            one.code,
            one.discussed_at,
            one.session.number,
            said=one.said,
            agreed=one.agreed,
            answer=next((answer.answer for answer in one.answers), ""),
        )
        for one in rows.select_related("session").prefetch_related(answers)
    ]


def _numbered(shown: Sequence[Entry]) -> list[Entry]:
    numbers = {one.code: place for place, one in enumerate((e for e in shown if e.agreed), start=1)}
    return [replace(one, number=numbers.get(one.code, 0)) for one in shown]


def _wording(ratings: Sequence[Rating]) -> Wording:
    """What the client read last; our own words are in the language of the page."""
    last = ratings[-1] if ratings else None
    if last and last.wording is not None:
        return wordings.read_by_the_client(last)
    form = instruments.get(last.instrument) if last else None
    # Of a licensed form on paper nobody knows the edition: then ours, which asks about the same.
    ours = form if form and form.wordings else instruments.get(instruments.SESSION_RATING)
    return offers.wording_of(ours, get_language() or "en")


# --- The lines over time ---------------------------------------------------------------------------


def _lines(ratings: list[Rating], shown: list[Entry], wording: Wording) -> list[MarksOfLine]:
    last = ratings[-1]
    form = instruments.get(last.instrument, last.instrument_version)
    signs = [(_place_between(one, ratings), one.sign) for one in shown if one.number]
    return [
        MarksOfLine(
            question=wording.items[item.id].question,
            low_end=wording.items[item.id].low_end,
            high_end=wording.items[item.id].high_end,
            drawn=_drawn(item, wording, [one.marks.get(item.id) for one in ratings], signs),
            faces=has_faces(form),
        )
        for item in form.items
    ]


def _place_between(entry: Entry, ratings: list[Rating]) -> float:
    """Where an agreement stands among the ratings: after the last one made before it."""
    made = (min(one.session.ends_at, one.received_at) for one in ratings)
    return sum(at <= entry.at for at in made) - 0.5


def _drawn(
    item: Item, wording: Wording, marks: list[int | None], signs: list[tuple[float, str]]
) -> SafeString:
    """The marks of one line in the order of the sessions: high is good, and no figure anywhere."""
    points = [
        None if mark is None else (_x(place, len(marks)), _y(item, mark)) for place, mark in enumerate(marks)
    ]
    return format_html(
        '<svg class="marks" viewBox="0 0 {} {}" role="img" aria-label="{}"><path class="ends" d="M0 {}H{}M0 {}H{}"/>'
        '{}<path class="course" d="{}"/>{}</svg>',
        *(WIDTH, HEIGHT, _in_words(item, wording, marks)),
        *(MARGIN, WIDTH, FLOOR, WIDTH),
        format_html_join(
            "",
            '<path class="agreed" d="M{0} {1}V{2}"/><text x="{0}" y="{3}">{4}</text>',
            ((_x(place, len(marks)), MARGIN, FLOOR, HEIGHT - 8, sign) for place, sign in signs),
        ),
        _path(points),
        format_html_join("", '<circle cx="{}" cy="{}" r="4.5"/>', (one for one in points if one)),
    )


def _x(place: float, count: int) -> float:
    along = MARGIN + (place + 0.5) / count * (WIDTH - 2 * MARGIN)
    return round(WIDTH - along if get_language_bidi() else along, 1)


def _y(item: Item, mark: int) -> float:
    return round(FLOOR - item.along(mark) / 100 * (FLOOR - MARGIN), 1)


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """A line that is not drawn across a mark that was left out."""
    said, pen = [], "M"
    for point in points:
        if point:
            said.append(f"{pen}{point[0]} {point[1]}")
        pen = "L" if point else "M"
    return "".join(said)


def _in_words(item: Item, wording: Wording, marks: list[int | None]) -> str:
    known = [mark for mark in marks if mark is not None]
    if not known:
        return _("Not marked")
    first, last = (
        Line(item, wording.items[item.id], (1, 1), mark, False, "").said for mark in (known[0], known[-1])
    )
    return _("First mark: %(first)s. Last mark: %(last)s.") % {"first": first, "last": last}
