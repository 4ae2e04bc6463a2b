"""The client's marks as the page sends them: whole tenths or nothing, and never a guess."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import languages
from alliance.measurement import instruments
from alliance.measurement.instruments import Item
from sessions_app.courses import wordings
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, Rating
from sessions_app.instruments.choices import (
    Given,
    Question,
    QuestionSection,
    has_choices,
    questions_of,
    sections_of,
)
from sessions_app.instruments.lines import Line, has_faces
from sessions_app.intake import form_facts

COMMENT_LENGTH = Rating._meta.get_field("comment").max_length
_WHOLE_TENTHS = re.compile(r"0|-?[1-9][0-9]{0,3}", re.ASCII)
# Everything below the space but tab and line feed: PostgreSQL refuses NUL, no page shows the others.
_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), 127])


class MarkField(forms.Field):
    """Tenths in ASCII digits, or nothing. The page makes the value, so anything else is not a person's slip."""

    def __init__(self, item: Item, again: str) -> None:
        """again: what is said of anything that no page of ours sends."""
        super().__init__(required=False)
        self.item, self.again = item, again

    def clean(self, value: Any) -> int | None:
        if value in (None, ""):
            return None
        if _WHOLE_TENTHS.fullmatch(value):
            tenths, item = int(value), self.item
            if item.minimum <= tenths <= item.maximum and not (tenths - item.minimum) % item.step:
                return tenths
        raise ValidationError(self.again)


class TenthsField(forms.Field):
    """The tenths beyond a chosen number: what makes every mark within reach without the line, or a script."""

    def __init__(self, again: str) -> None:
        super().__init__(required=False)
        self.again = again

    def clean(self, value: Any) -> int:
        if value in (None, ""):
            return 0
        if re.fullmatch("[0-9]", value, re.ASCII):
            return int(value)
        raise ValidationError(self.again)


class CommentField(forms.CharField):
    def to_python(self, value: Any) -> str:
        # The length counts as the page counts it: a line break is one character, not CR and LF.
        text = (value or "").replace("\r\n", "\n").translate(_CONTROLS)
        return str(super().to_python(text.encode("utf-8", "replace").decode()))


class RatingForm(forms.Form):
    """The marks of one form. `whole`: every line or question must be there, if only as an empty mark.

    A field that the form does not have, such as the comment of a questionnaire, is nobody's page: it is not read.
    """

    data: QueryDict
    comment = CommentField(
        required=False,
        max_length=COMMENT_LENGTH,
        error_messages={"max_length": gettext_lazy("Please make your sentence shorter.")},
    )
    share_comment = forms.BooleanField(required=False)
    mode = forms.ChoiceField(
        choices=[(mode.value, mode.label) for mode in (Mode.LINE, Mode.NUMBER)],
        error_messages={"invalid_choice": gettext_lazy("Please send the form again.")},
    )

    read_in = forms.Field(required=False)

    def __init__(self, data: QueryDict | None = None, *, grant: RatingGrant, whole: bool = False) -> None:
        super().__init__(data)
        self.grant = grant
        self.instrument = wordings.instrument_of(grant)
        self.wording = wordings.shown(grant)
        self.whole = whole
        is_of_choices = has_choices(self.instrument)
        self.again = (
            _("Please answer this question again.") if is_of_choices else _("Please mark this line again.")
        )
        for item in self.instrument.items:
            self.fields[item.id] = MarkField(item, self.again)
            self.fields[declined(item)] = forms.BooleanField(required=False)
            if not is_of_choices:
                self.fields[beyond(item)] = TenthsField(self.again)
        if not form_facts.has_comment(self.instrument):
            del self.fields["comment"], self.fields["share_comment"]

    def clean(self) -> dict[str, Any]:
        for name in self.fields:
            if len(self.data.getlist(name)) > 1:
                self._refuse(name, self.again)
        for item in self.instrument.items:
            if self.whole and item.id not in self.data:
                self._refuse(item.id, self._missing)
            self._add_tenths(item)
            if self.cleaned_data.get(declined(item)):
                self.cleaned_data[item.id] = None
        return self.cleaned_data

    def _add_tenths(self, item: Item) -> None:
        """Tenths without a number, or beyond the end, are an error and never a guess."""
        over = self.cleaned_data.get(beyond(item), 0)
        if beyond(item) in self.errors:
            self._refuse(item.id, self.again)
        if not over or self.cleaned_data.get(declined(item)) or item.id in self.errors:
            return
        number = self.cleaned_data[item.id]
        if number is None:
            self._refuse(item.id, _("Please choose a number too."))
        elif number + over > item.maximum:
            self._refuse(item.id, _("This is more than the highest number."))
        elif number % 10 or item.step != 1:
            self._refuse(item.id, self.again)
        else:
            self.cleaned_data[item.id] = number + over

    @property
    def _missing(self) -> str:
        if has_choices(self.instrument):
            return _("This answer did not arrive. Please look at it again.")
        return _("This line did not arrive. Please look at it again.")

    def _refuse(self, name: str, sentence: str) -> None:
        if name not in self.errors:
            self.add_error(name, sentence)

    @property
    def language(self) -> str:
        """What the page was written in; where it does not say, what the grant says.

        These are not always the same: the answer to a change of language can be lost.
        """
        read_in: str = self.cleaned_data["read_in"] or ""
        return read_in if wordings.may_be_read_in(self.grant, read_in) else self.wording.language

    @property
    def answers(self) -> dict[str, int | None]:
        return {item.id: self.cleaned_data.get(item.id) for item in self.instrument.items}

    def as_rating(self) -> dict[str, Any]:
        """What `actions.record_rating` wants of valid marks."""
        names = ("mode", "comment", "share_comment")
        typed = {name: self.cleaned_data[name] for name in names if name in self.fields}
        return {"answers": self.answers, "language": self.language, **typed}

    @property
    def questions(self) -> list[Question]:
        """Of a form of choices."""
        cleaned = getattr(self, "cleaned_data", {})
        given = {
            item.id: Given(
                cleaned.get(item.id),
                bool(cleaned.get(declined(item))),
                _sentence(self.errors.get(item.id, [])),
            )
            for item in self.instrument.items
        }
        return questions_of(self.instrument, self.wording, given)

    @property
    def sections(self) -> list[QuestionSection]:
        return sections_of(self.wording, self.questions)

    @property
    def lines(self) -> list[Line] | list[Question]:
        """Each line or question with what was marked."""
        if has_choices(self.instrument):
            return self.questions
        cleaned = getattr(self, "cleaned_data", {})
        return [
            Line(
                item=item,
                wording=self.wording.items[item.id],
                place_in_form=(number, len(self.instrument.items)),
                tenths=cleaned.get(item.id),
                declined=bool(cleaned.get(declined(item))),
                error=_sentence(self.errors.get(item.id, [])),
                faces=has_faces(self.instrument),
            )
            for number, item in enumerate(self.instrument.items, 1)
        ]

    @property
    def offered_languages(self) -> list[tuple[str, str]]:
        """Tag and own name of each language this form can be read in."""
        return [(tag, languages.own_name(tag)) for tag in wordings.languages_of(self.grant)]

    @property
    def unmarked(self) -> list[Line | Question]:
        """The lines or questions the review names: without a mark, and not left out on purpose."""
        return [line for line in self.lines if line.tenths is None and not line.declined]

    @property
    def typed(self) -> dict[str, str]:
        """Comment, its permission and the way of marking as they came, so that an error costs nobody their words."""
        return {name: self.data.get(name, "") for name in ("comment", "share_comment", "mode")}


class LanguageForm(forms.Form):
    def __init__(self, data: QueryDict, *, grant: RatingGrant) -> None:
        super().__init__(data)
        offered = [(tag, tag) for tag in wordings.languages_of(grant)]
        self.fields["language"] = forms.ChoiceField(choices=offered)


def _sentence(errors: Iterable[Any]) -> str:
    return " ".join(str(error) for error in errors)


def declined(item: Item) -> str:
    return f"{item.id}-declined"


def beyond(item: Item) -> str:
    return f"{item.id}-tenths"


def lines_of(rating: Rating) -> list[Line]:
    """What was handed in, as the review page drew it: the client's own lines, and no figure."""
    wording = wordings.read_by_the_client(rating)
    instrument = instruments.get(rating.instrument, rating.instrument_version)
    return [
        Line(
            item=item,
            wording=wording.items[item.id],
            place_in_form=(place, len(instrument.items)),
            tenths=rating.marks[item.id],
            declined=False,
            error="",
            faces=has_faces(instrument),
        )
        for place, item in enumerate(instrument.items, 1)
    ]
