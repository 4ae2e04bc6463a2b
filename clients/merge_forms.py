"""The forms with which records of one person are found and put together."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from alliance.line_field import LineField
from alliance.stale_forms import opened_with
from clients import duplicates
from clients.merges import episodes_of, record_of
from clients.models import Client, Episode, EpisodeMove


class RecordSearch(forms.Form):
    """Another record, by its label; those that read alike where nothing is asked for yet."""

    q = forms.CharField(
        label="Label of the other record", required=False, widget=forms.TextInput({"type": "search"})
    )

    def found_beside(self, client: Client) -> QuerySet[Client]:
        asked = self.cleaned_data["q"] if self.is_valid() else ""
        if not asked:
            return duplicates.alike(client)
        return duplicates.listed().filter(pk__in=Client.objects.with_label_like(asked)).exclude(pk=client.pk)


class MergeForm(forms.Form):
    """Which of two records stays. `seen`: the episodes that the page showed, so that no other one moves unseen."""

    kept = forms.ChoiceField(label="Which record stays?", widget=forms.RadioSelect)
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, one: Client, other: Client) -> None:
        self.records = {str(record.code): record for record in (one, other)}
        episodes = {record: episodes_of(record) for record in (one, other)}
        first = min(one, other, key=lambda record: (-len(episodes[record]), record.registered_at))
        shown = [*episodes[one], *episodes[other]]
        initial = {"kept": str(first.code), "seen": " ".join(episode.code.hex for episode in shown)}
        super().__init__(data, initial=initial)
        self.fields["kept"].choices = [  # type: ignore[attr-defined]
            (str(one.code), _what_happens(one, other)),
            (str(other.code), _what_happens(other, one)),
        ]

    def clean_seen(self) -> set[UUID]:
        try:
            return {UUID(code) for code in self.cleaned_data["seen"].split()}
        except ValueError:
            return set()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kept = cleaned.get("kept")
        if kept in self.records:
            (merged,) = (record for code, record in self.records.items() if code != kept)
            cleaned |= {"kept": self.records[kept], "merged": merged}
        return cleaned


def _what_happens(kept: Client, merged: Client) -> str:
    """The preview of one answer, as the text of its choice."""
    count = len(episodes_of(merged))
    moves = "1 episode moves" if count == 1 else f"{count} episodes move"
    details = f"{kept.get_language_display()}, {kept.get_age_band_display()}"
    on = f"registered on {kept.registered_at:%-d %B %Y}"
    return f"{kept}, {on} ({details}). {moves} to it from {merged}, and {merged} leaves the lists."


class MoveForm(forms.Form):
    """Why an episode belongs under another record than the one that the page shows it under."""

    why = LineField(
        label="Why it belongs there",
        help_text="Never anything from the therapy.",
        max_length=EpisodeMove._meta.get_field("why").max_length,
    )

    def __init__(self, data: Any = None, *, episode: Episode) -> None:
        super().__init__(data)
        opened_with(self, row=episode.code, stored=record_of(episode))
