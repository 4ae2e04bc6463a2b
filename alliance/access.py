"""Who may open which page, and the one look-up of a single row.

Two questions, two answers, nothing else in the code decides:

* which *pages*: the rule that every view declares with `page(...)`; a view without one is refused
  by `middleware.PageRules` at run time;
* which *rows*: `visible_to(user)` of the row's queryset, reached here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import Role, User

View = Callable[..., HttpResponse]


class StaffRequest(HttpRequest):
    """What a page of staff is given: `PageRules` has seen to it that somebody is signed in."""

    user: User
    htmx: HtmxDetails


@dataclass(frozen=True)
class PageRule:
    """Who may open a page: anyone, a client with a grant, a room's tablet, or staff (of `roles`, if given)."""

    kind: str
    roles: frozenset[Role] = field(default_factory=frozenset)


PUBLIC = PageRule("public")  # nobody's data: sign-in, health
CLIENT = PageRule("client")  # a browser that holds a rating grant, and nobody else
ROOM = PageRule("room")  # a browser that holds the key of a tablet, and no person
STAFF = PageRule("staff")  # signed in, second factor in place
SETTLING_IN = PageRule("settling in")  # signed in; also open to those who still owe a second factor

# The pages that packages bring (`alliance.account_urls`). One that is not named here, or declares nothing, is refused.
PACKAGE_PAGES = {
    "account_login": PUBLIC,
    "account_logout": PUBLIC,
    "account_inactive": PUBLIC,
    "account_reauthenticate": SETTLING_IN,
    "account_change_password": SETTLING_IN,
    "account_reset_password": PUBLIC,
    "account_reset_password_done": PUBLIC,
    "account_reset_password_from_key": PUBLIC,
    "account_reset_password_from_key_done": PUBLIC,
    "mfa_index": SETTLING_IN,
    "mfa_authenticate": PUBLIC,
    "mfa_reauthenticate": SETTLING_IN,
    "mfa_activate_totp": SETTLING_IN,
    "mfa_deactivate_totp": SETTLING_IN,
    "mfa_list_webauthn": SETTLING_IN,
    "mfa_add_webauthn": SETTLING_IN,
    "mfa_reauthenticate_webauthn": SETTLING_IN,
    "mfa_remove_webauthn": SETTLING_IN,
    "mfa_edit_webauthn": SETTLING_IN,
    "mfa_view_recovery_codes": SETTLING_IN,
    "mfa_generate_recovery_codes": SETTLING_IN,
    "mfa_download_recovery_codes": SETTLING_IN,
}


def page(*allowed: Role | PageRule) -> Callable[[View], View]:
    """Declare who may open a view: one `PageRule`, or the roles of which any one is enough."""
    rule = _as_rule(allowed)

    def declare(view: View) -> View:
        view.page_rule = rule  # type: ignore[attr-defined]
        return view

    return declare


def _as_rule(allowed: tuple[Role | PageRule, ...]) -> PageRule:
    roles = frozenset(one for one in allowed if isinstance(one, Role))
    rules = [one for one in allowed if isinstance(one, PageRule)]
    if len(rules) + bool(roles) != 1:
        raise TypeError("page() takes one rule, or one role and more.")
    return rules[0] if rules else PageRule("staff", roles)


def rule_of(view: View, url_name: str | None) -> PageRule | None:
    """The declared rule of a view; None where nobody declared one, which means refused."""
    declared = getattr(view, "page_rule", None)
    return declared if declared is not None else PACKAGE_PAGES.get(url_name or "")


def visible_or_404(request: StaffRequest, rows: Any, code: UUID, *, looked_at: bool = True) -> Any:
    """The row with `code` among those of `rows` this person may see; the view is written to the log.

    A row that is not theirs and one that is not there raise the same Http404.
    """
    return _found_or_404(request, rows.visible_to(request.user), code, looked_at=looked_at)


def own_or_404(request: StaffRequest, rows: Any, code: UUID) -> Any:
    """As `visible_or_404`, but only rows this person may write: their own clients, never a supervisee's."""
    return _found_or_404(request, rows.own(request.user), code, looked_at=False)


def managed_or_404(request: StaffRequest, rows: Any, code: UUID, *, looked_at: bool) -> Any:
    """As `visible_or_404`, of whom this person manages the people and the days: it opens no clinical row."""
    return _found_or_404(request, rows.managed_by(request.user), code, looked_at=looked_at)


def _found_or_404(request: StaffRequest, rows: Any, code: UUID, *, looked_at: bool) -> Any:
    row = rows.filter(code=code).first()
    if row is None:
        raise Http404
    if looked_at:
        with transaction.atomic():
            audit.record(LogEvent.VIEWED, row, by=request.user, client=client_of(row))
    return row


def client_of(row: models.Model) -> UUID | None:
    """The code of the client a row belongs to, where it belongs to one."""
    code: UUID | None = getattr(row, "client_code", None)
    return code
