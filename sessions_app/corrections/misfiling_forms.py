"""What somebody says with marks that are in the wrong record: where they belong, and why, in one line."""

from typing import Any

from django import forms

from alliance.models import User
from clients.models import Episode
from sessions_app.corrections import right_sessions
from sessions_app.corrections.forms import one_line
from sessions_app.courses.models import Rating, SetAsideRating


class MisfilingForm(forms.Form):
    """What becomes of the marks, and why. offered: whose further sessions are among the choices, if anybody's."""

    def __init__(
        self, data: Any = None, *, marks: Rating | SetAsideRating, user: User, offered: Episode | None = None
    ) -> None:
        super().__init__(data)
        self.marks, self.user = marks, user
        self.clients = list(right_sessions.clients(user, marks))
        self.offered = offered or self._chosen()
        self.fields["to"] = forms.ChoiceField(
            label="What should become of these marks?",
            choices=right_sessions.choices(marks, user, self.offered),
            widget=forms.RadioSelect,
            initial=right_sessions.ASIDE,
        )
        self.fields["why"] = one_line("Why, in one line", required=True)
        self.fields["why"].help_text = (
            "Such as: the tablet was handed over under the wrong name. This line stays in the record of "
            f"{marks.session.episode.client.label}: do not name the other client."
        )

    def _chosen(self) -> Episode | None:
        """The client who is chosen, of those who may be."""
        code = self.data.get("client", "") if self.is_bound else ""
        if code not in {one for one, _ in self.clients}:
            return None
        return Episode.objects.visible_to(self.user).select_related("client").get(code=code)

    def drawn_anew(self) -> "MisfilingForm":
        """The same with the sessions of the client who is chosen; what was typed stays, and nothing is wrong yet."""
        form = MisfilingForm(marks=self.marks, user=self.user, offered=self.offered)
        typed = {name: self.data.get(name, "") for name in ("to", "why")}
        form.initial = {name: text for name, text in typed.items() if text}
        return form

    def clean_why(self) -> str:
        why: str = self.cleaned_data["why"]
        if label := right_sessions.named_in(why, self.user, self.marks.session.episode.client):
            raise forms.ValidationError(
                f"This names another client, {label}. Leave the name out: the line stays in this record."
            )
        return why

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        to = right_sessions.chosen(cleaned["to"], self.user) if "to" in cleaned else None
        return {"to": to, "why": cleaned.get("why", "")}
