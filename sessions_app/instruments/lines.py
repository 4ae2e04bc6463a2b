"""One line of a form as a page shows it: its words, its numbers, and where a mark stands."""

import json
from bisect import bisect_left
from dataclasses import dataclass

from django.utils.translation import gettext as _

from alliance import languages
from alliance.measurement.instruments import Instrument, Item, ItemWording, Wording

# Where the words for a place on a line change, in hundredths of its length. The ends and the exact
# middle have words of their own: they are what a person without sight aims for.
BANDS = (0, 15, 39, 49, 50, 60, 84, 99, 100)


@dataclass(frozen=True)
class Line:
    """One line as the page shows it: its words, and what the client has marked so far."""

    item: Item
    wording: ItemWording
    place_in_form: tuple[int, int]
    tenths: int | None
    declined: bool
    error: str
    faces: bool = False  # whether a drawn face stands at each end

    @property
    def id(self) -> str:
        return self.item.id

    @property
    def progress(self) -> str:
        number, last = map(languages.digits, self.place_in_form)
        return _("%(number)s of %(last)s") % {"number": number, "last": last}

    @property
    def numbers(self) -> list[tuple[str, int, str]]:
        """The numbers to choose from, each with its tenths; the first and the last with what they mean."""
        low, high = self.item.minimum, self.item.maximum
        ends = {low: self.wording.low_end, high: self.wording.high_end}
        return [(languages.digits(n // 10), n, ends.get(n, "")) for n in range(low, high + 1, 10)]

    @property
    def number(self) -> int | None:
        """The tenths of the number that is chosen for this mark; `over` are the tenths beyond it."""
        return None if self.tenths is None else self.tenths - self.over

    @property
    def over(self) -> int:
        return (self.tenths or 0) % 10

    @property
    def tenths_to_add(self) -> list[tuple[str, int]]:
        """None where the instrument knows whole numbers only."""
        return [(languages.digits(over), over) for over in range(10)] if self.item.step == 1 else []

    @property
    def words(self) -> list[str]:
        """What a screen reader says for a mark, one phrase for each of `BANDS`."""
        low, high = {"end": self.wording.low_end}, {"end": self.wording.high_end}
        return [
            _("all the way at “%(end)s”") % low,
            _("close to “%(end)s”") % low,
            _("nearer to “%(end)s”") % low,
            _("just on the side of “%(end)s”") % low,
            _("exactly in the middle"),
            _("just on the side of “%(end)s”") % high,
            _("nearer to “%(end)s”") % high,
            _("close to “%(end)s”") % high,
            _("all the way at “%(end)s”") % high,
        ]

    @property
    def words_as_json(self) -> str:
        return json.dumps(self.words, ensure_ascii=False)

    @property
    def place(self) -> float | None:
        """How far along the line the mark is, in hundredths of its length."""
        if self.tenths is None:
            return None
        return self.item.along(self.tenths)

    @property
    def said(self) -> str:
        return "" if self.place is None else self.words[bisect_left(BANDS, self.place)]


def has_faces(instrument: Instrument) -> bool:
    """Whether the ends of its lines are faces, for whoever reads faces more easily than words."""
    return instrument.format == "faces"


def lines_to_read(instrument: Instrument, wording: Wording) -> list[Line]:
    """The lines of a wording before any mark, for whoever checks how the form will look."""
    return [
        Line(
            item,
            wording.items[item.id],
            (place, len(instrument.items)),
            None,
            False,
            "",
            has_faces(instrument),
        )
        for place, item in enumerate(instrument.items, 1)
    ]
