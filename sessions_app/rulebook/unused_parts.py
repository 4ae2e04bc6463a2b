"""Parts of the site that this clinic does not use: the settings offer them, and other pages are silent of them.

What counts is use, not a switch: a part that was used once stays in sight, so that nothing of it is lost from view.
"""

from typing import NamedTuple

from alliance import guessing
from alliance.measurement.instruments import Instrument
from sessions_app.courses.raters import Rater
from sessions_app.groups.models import FORM_OF, Group
from sessions_app.instruments import promises

GROUP_FORMS = frozenset({*FORM_OF.values(), "group-srs", "group-child-srs"})


class UnusedParts(NamedTuple):
    """Whether nobody uses it yet. raters: to whom else than the client no form was given or planned."""

    groups: bool
    raters: list[Rater]
    guesses: bool

    @property
    def any(self) -> bool:
        return bool(self.groups or self.raters or self.guesses)

    def leaves_out(self, form: Instrument, chosen: str) -> bool:
        """Whether a choice of forms says nothing of this one: it is for groups, and there are none."""
        return self.groups and form.id in GROUP_FORMS and form.id != chosen


def read() -> UnusedParts:
    used = promises.raters_in_use()
    return UnusedParts(
        groups=not Group.objects.exists(),
        raters=[rater for rater in Rater if rater.value not in used],
        guesses=not guessing.in_use(),
    )
