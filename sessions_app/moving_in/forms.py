"""What an administrator enters about a file: which it is, how it is to be read, which column is which."""

from collections.abc import Sequence
from typing import Any

from django import forms

from alliance.measurement import instruments
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.moving_in.columns import LINES, SHEETS, Kind, Sheet
from sessions_app.moving_in.csv_file import DELIMITERS, ENCODINGS
from sessions_app.moving_in.models import ImportRun
from sessions_app.moving_in.sealed_file import MOST_BYTES
from sessions_app.moving_in.walk import Options, form_key

WITH_MARKS = frozenset({Kind.SESSIONS, Kind.RATINGS})
CAN_BE_CHANGED = frozenset({Kind.PEOPLE, Kind.CLIENTS})
WITH_DAYS = frozenset(Kind) - {Kind.PEOPLE}


class FileForm(forms.Form):
    kind = forms.TypedChoiceField(
        label="What the file holds",
        choices=[(kind.value, SHEETS[kind].title) for kind in Kind],
        coerce=Kind,
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label="File",
        help_text=f"CSV, {MOST_BYTES // 1024**2} MB at most; its first row names the columns. "
        "Nothing is imported before you have seen how it is understood.",
        error_messages={"required": "Choose a file.", "empty": "This file is empty."},
        widget=forms.FileInput({"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(
                f"This file is larger than {MOST_BYTES // 1024**2} MB. Divide it, or use manage.py import_csv."
            )
        if (file.name or "").lower().endswith((".xlsx", ".xls", ".ods", ".numbers")):
            raise forms.ValidationError("This is a spreadsheet. Save it as CSV first.")
        return file


class LayoutForm(forms.Form):
    """How the file is to be read, where what was found out is wrong."""

    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()))
    delimiter = forms.ChoiceField(choices=list(DELIMITERS.items()))

    def __init__(self, data: Any = None, *, run: ImportRun) -> None:
        super().__init__(data, initial={"encoding": run.encoding, "delimiter": run.delimiter})


class ColumnsForm(forms.Form):
    """Which column of the file is which of ours; and what cannot be read from the file."""

    def __init__(self, data: Any = None, *, run: ImportRun, header: Sequence[str]) -> None:
        super().__init__(data)
        self.sheet: Sheet = run.sheet
        options = Options.of(run.options)
        places = [
            (str(place), name or f"Column {place + 1}, without a name") for place, name in enumerate(header)
        ]
        for column in self.sheet.columns:
            self.fields[f"column_{column.id}"] = forms.TypedChoiceField(
                label=column.label,
                help_text=column.help,
                choices=[("", "Choose" if column.required else "Not in the file"), *places],
                coerce=int,
                empty_value=None,
                required=column.required,
                initial=run.columns.get(column.id),
                error_messages={"required": "Choose the column."},
            )
        self._add_options(Kind(run.kind), options, is_new=not run.options)

    def _add_options(self, kind: Kind, options: Options, *, is_new: bool) -> None:
        if kind in WITH_DAYS:
            self.fields["month_first"] = forms.TypedChoiceField(
                label="Days with slashes",
                help_text="2025-03-31 and 31.03.2025 are read in any case.",
                choices=[("day", "03/04/2025 is 3 April"), ("month", "03/04/2025 is 4 March")],
                coerce=lambda first: first == "month",
                initial="month" if options.month_first else "day",
            )
        if kind in CAN_BE_CHANGED:
            self.fields["update"] = forms.BooleanField(
                label=f"Change {self.sheet.many} who are here already to what the file says",
                help_text="Otherwise the file is not imported while one of them differs.",
                required=False,
                initial=options.update,
            )
        if kind == Kind.CLIENTS:
            self.fields["same_label"] = forms.BooleanField(
                label="Clients whose label is here already are other people",
                required=False,
                initial=options.same_label,
            )
        if kind in WITH_MARKS:
            self.fields["form"] = forms.ChoiceField(
                label="Form on which the marks were made",
                help_text="Ratings are compared with later ones of the same form and edition only.",
                choices=forms_of_marks(),
                initial=form_key(ClinicSettings.objects.in_force().form.id) if is_new else options.form,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        columns = {
            column.id: cleaned[f"column_{column.id}"]
            for column in self.sheet.columns
            if cleaned.get(f"column_{column.id}") is not None
        }
        self._refuse_twice(columns)
        if self.sheet.kind == Kind.RATINGS and not self.errors:
            self._refuse_without_marks(columns)
        options = Options(**{name: cleaned[name] for name in Options.__dataclass_fields__ if name in cleaned})
        return {"columns": columns, "options": options}

    def _refuse_twice(self, columns: dict[str, int]) -> None:
        used: dict[int, str] = {}
        for name, place in columns.items():
            if place in used:
                other = self.sheet.column(used[place]).label
                self.add_error(f"column_{name}", f"This column is chosen for {other} already.")
            used.setdefault(place, name)

    def _refuse_without_marks(self, columns: dict[str, int]) -> None:
        if not any(column.is_mark and column.id in columns for column in self.sheet.columns):
            raise forms.ValidationError("Choose the columns of the lines, or the one of the total.")

    @property
    def columns(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("column_")]

    @property
    def others(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if not name.startswith("column_")]


def forms_of_marks() -> list[tuple[str, str]]:
    """Each form, and each edition of its wording that the clinic has."""
    found = []
    for scale in instruments.session_scales():
        editions = ClinicWording.objects.of(scale).order_by("edition").values_list("edition", flat=True)
        known = list(dict.fromkeys(editions))
        note = ", edition not known" if scale.licensed else ""
        found.append((form_key(scale.id), f"{scale.name}{note}"))
        found += [(form_key(scale.id, edition), f"{scale.name}, edition {edition}") for edition in known]
    return found


assert {column.id for column in SHEETS[Kind.RATINGS].columns if column.is_mark} == {*LINES, "total"}
