"""What browsers reported of the content policy, for the page *Health*.

For the page alone: anybody can send such a report, and strangers must not choose what `manage.py doctor` answers.
"""

from collections.abc import Iterator

from django.http import HttpRequest

from alliance.operations import policy_reports
from alliance.operations.findings import Finding, check_of_request, ok, warning
from alliance.operations.policy_reports import Refused

KEY = "policy_reports"
NAMED = 3


@check_of_request(KEY)
def reports(request: HttpRequest) -> Iterator[Finding]:
    found = policy_reports.kept()
    if not found:
        yield ok(KEY, "In the last seven days no browser reported that it refused a part of a page.")
        return
    total = found.total()
    named = "; ".join(_in_words(one, times) for one, times in found.most_common(NAMED))
    others = len(found) - NAMED
    more = f"; and {others} other kind{'' if others == 1 else 's'}" if others > 0 else ""
    yield warning(
        KEY,
        f"In the last seven days browsers reported {_times(total)} that they refused a part of a page: {named}{more}.",
        "Many from one page since an upgrade: tell whoever develops the site. Another site's name: somebody may have "
        "tried to load something into a page; the browser did not. Anybody can send such reports, also false ones.",
    )


def _in_words(one: Refused, times: int) -> str:
    return f"{one.directive}, {one.host}, page {one.page} ({_times(times)})"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
