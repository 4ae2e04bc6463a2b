"""Whether there is a second person: found for the page *Health*, and by `manage.py doctor`."""

from collections.abc import Iterator

from alliance.approvals import ApprovalRequest
from alliance.models import Role, User
from alliance.operations.findings import PAGE, Finding, check, ok, warning
from clients import sight
from clients.staff_actions import can_sign_in

KEY = "second person"


@check(KEY, at=PAGE)
def second_person() -> Iterator[Finding]:
    offices = [one for one in User.objects.with_role(Role.ADMINISTRATOR) if can_sign_in(one)]
    waiting = ApprovalRequest.objects.open().count()
    waits = f" {waiting} wait{'s' if waiting == 1 else ''} now." if waiting else ""
    if len(offices) > 1:
        yield ok(
            KEY, f"{len(offices)} administrators can sign in, so one confirms what another asks for.{waits}"
        )
    elif sight.clinic_has_marks():
        yield warning(
            KEY,
            "There is no second administrator who can sign in. What opens ratings to somebody waits 48 hours, in which "
            f"the therapists concerned can refuse it.{waits}",
            "Make a second person an administrator, under Clinic, People.",
        )
    else:
        yield ok(
            KEY, "One administrator, and no ratings yet. Add a second administrator before the first client."
        )
