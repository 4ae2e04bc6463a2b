"""The forms by which clients change hands, are covered for a while, and by which days are put right."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from alliance.line_field import LineField
from alliance.models import Role, User
from alliance.quick_select import QuickSelect
from alliance.stale_forms import opened_with
from clients.caseload_transfer import Move
from clients.closing import courses
from clients.day_actions import days_of, days_of_supervision
from clients.forms import ClientSearch, StaffField, TherapistField, day_field
from clients.models import Episode, EpisodeQuerySet, Supervision
from clients.plausible_days import NOT_AHEAD, said

UNSEEN = "Open, and seen by nobody"
WITHOUT_EPISODE = "Without an episode"
AS_ABOVE, STAYS = "", "stays"
WHY = LineField(
    label="Why",
    max_length=200,
    help_text="In one line. It is kept with the day that stood before.",
    widget=forms.TextInput({"autocomplete": "off"}),
    error_messages={"required": "Write in one line why."},
)


class CaseloadSearch(ClientSearch):
    """As the therapists' search, for an administrator: also by therapist, by team, and what nobody sees."""

    therapist = StaffField(label="Therapist", empty_label="Anybody", required=False)
    supervisor = StaffField(label="Team of", empty_label="Anybody", required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        show: Any = self.fields["show"]
        show.choices = [*show.choices, ("unseen", UNSEEN), ("none", WITHOUT_EPISODE)]
        therapist: Any = self.fields["therapist"]
        # Who treated somebody may have another role by now.
        has_treated = Exists(Episode.objects.filter(therapist=OuterRef("pk")))
        therapist.queryset = therapist.queryset.filter(Q(is_therapist=True) | has_treated)
        supervisor: Any = self.fields["supervisor"]
        supervisor.queryset = supervisor.queryset.filter(is_supervisor=True)

    def managed(self, user: User) -> EpisodeQuerySet:
        wanted = self.cleaned_data if self.is_valid() else {}
        rows = super().managed(user)
        if therapist := wanted.get("therapist"):
            rows = rows.filter(therapist=therapist)
        if supervisor := wanted.get("supervisor"):
            team = Supervision.objects.today().filter(supervisor=supervisor)
            rows = rows.filter(therapist__in=team.values("therapist"))
        return rows.unseen() if wanted.get("show") == "unseen" else rows

    def shown(self, wanted: str, managed: EpisodeQuerySet) -> Q:
        if wanted == "none":
            return Q(episodes__isnull=True, merged_into__isnull=True)
        return super().shown(wanted, managed)


class CaseloadTransferForm(forms.Form):
    """One day and one new therapist for all, and for each client another one, or none."""

    on = day_field(
        label="Day of the transfer",
        help_text="The last day with the former therapist and the first with the new one.",
        initial=timezone.localdate,
        ahead=NOT_AHEAD,
    )
    therapist = TherapistField(label="New therapist", required=False, widget=QuickSelect)

    def __init__(self, *args: Any, episodes: Sequence[Episode], **options: Any) -> None:
        super().__init__(*args, **options)
        self.episodes = episodes
        self.therapists = {str(person.pk): person for person in User.objects.with_role(Role.THERAPIST)}
        all_of_them: Any = self.fields["therapist"]
        people = [(str(pk), name) for pk, name in all_of_them.choices if pk]
        all_of_them.widget.choices = [("", "Choose"), *people]
        if len(episodes) == 1:
            all_of_them.required = True
            return
        for episode in episodes:
            stays = f"Stays with {episode.therapist}"
            others = [(pk, name) for pk, name in people if pk != str(episode.therapist_id)]
            self.fields[_name(episode)] = forms.ChoiceField(
                label=f"{episode.client}, with {episode.therapist}",
                choices=[(AS_ABOVE, "As above"), (STAYS, stays), *others],
                required=False,
                widget=QuickSelect,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        moves, left = [], []
        for episode in self.episodes:
            chosen = cleaned.get(_name(episode), AS_ABOVE)
            to = self.therapists.get(chosen) if chosen else cleaned.get("therapist")
            if chosen != STAYS and to is not None and not (chosen == AS_ABOVE and to == episode.therapist):
                moves.append(Move(episode, to))
            elif chosen == AS_ABOVE and to is None:
                left.append(str(episode.client))
        if left and not self.errors:
            self.add_error("therapist", f"Choose who takes over {_listed(left)}.")
        elif not moves and not self.errors:
            self.add_error("therapist", "Everybody would stay where they are. Choose another therapist.")
        if len(moves) > 1 and cleaned.get("on"):
            self._look_at_sessions_after(moves, cleaned["on"])
        return {"moves": moves, "on": cleaned.get("on")}

    def _look_at_sessions_after(self, moves: Sequence[Move], on: date) -> None:
        """In one sentence for all of them; the table says which, and the action would say it of each."""
        out = courses().still_out({move.episode.pk: on for move in moves})
        last = [one.last_held for one in out.values() if one.held_after and one.last_held]
        if last:
            some = "One of these clients" if len(last) == 1 else f"{len(last)} of these clients"
            self.add_error(
                None, f"{some} had sessions after this day, the last on {said(max(last))}. See the table."
            )

    def rows(self) -> Iterator[tuple[Episode, forms.BoundField | None]]:
        for episode in self.episodes:
            yield episode, self[_name(episode)] if _name(episode) in self.fields else None


def _name(episode: Episode) -> str:
    return f"to_{episode.code}"


def _listed(labels: list[str]) -> str:
    few = labels[:5]
    return ", ".join(few) + (f" and {len(labels) - len(few)} more" if len(labels) > len(few) else "")


# --- Cover -----------------------------------------------------------------------------------------


class CoverForm(forms.Form):
    """Whom a colleague sees, from when to when."""

    colleague = TherapistField(widget=QuickSelect)
    starts_on = day_field(label="From", initial=timezone.localdate)
    ends_on = day_field(label="To and including")
    episodes = forms.ModelMultipleChoiceField(
        Episode.objects.none(),
        label="Clients",
        to_field_name="code",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one client."},
    )

    def __init__(self, *args: Any, by: User, episodes: "QuerySet[Episode]", **options: Any) -> None:
        super().__init__(*args, **options)
        colleague: Any = self.fields["colleague"]
        colleague.queryset = colleague.queryset.exclude(pk=by.pk)
        named: Any = self.fields["episodes"]
        named.queryset = episodes
        named.label_from_instance = lambda episode: str(episode.client)
        if not self.is_bound:
            self.initial["episodes"] = [episode.code for episode in episodes]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("starts_on"), cleaned.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", "This day lies before the first one.")
        return cleaned


# --- Days ------------------------------------------------------------------------------------------


class EpisodeDaysForm(forms.Form):
    opened_on = day_field(label="Opened on")
    closed_on = day_field(label="Closed on", ahead=NOT_AHEAD)
    why = WHY

    def __init__(self, *args: Any, episode: Episode, **options: Any) -> None:
        stored = days_of(episode)
        super().__init__(*args, **{"initial": stored, **options})
        if episode.is_open:
            del self.fields["closed_on"]
        opened_with(self, row=episode.code, stored=stored)


class SupervisionDaysForm(forms.Form):
    starts_on = day_field(label="From")
    ends_on = day_field(label="To and including", required=False, help_text="Empty: it goes on.")
    why = WHY

    def __init__(self, *args: Any, supervision: Supervision, **options: Any) -> None:
        stored = days_of_supervision(supervision)
        super().__init__(*args, **{"initial": stored, **options})
        opened_with(self, row=supervision.code, stored=stored)


class ConsentForm(forms.Form):
    given_on = day_field(label="The client agreed on", initial=timezone.localdate, ahead=NOT_AHEAD)
