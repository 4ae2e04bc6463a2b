"""No string becomes a part of a page but an answer of this site: docs/adr/0073-trusted-types.md.

That the pages themselves never try it, each test of this folder holds: a refusal is a complaint of the browser
(`conftest.Witness`). Here are the pages with most in them, and the sinks that are refused.
"""

from django.core.cache import cache

from alliance.operations import policy_reports
from alliance.operations.policy_reports import Refused
from tests import cast

REFUSED = ("requires 'Trusted", "was blocked", "TrustedHTML", "TrustedScript", "trusted-types")


def requires_trusted_types(page):
    assert page.evaluate("() => trustedTypes.defaultPolicy !== undefined")
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert {
        "require-trusted-types-for 'script'",
        "trusted-types default device-worker other-language",
    } <= set(policy.split("; "))


def test_work_list_and_clients_page_draw_and_swap_without_a_refusal(
    olgas_laptop, live_clinic, course, witness
):
    page = olgas_laptop
    cast.rating(cast.therapy_session(live_clinic.olgas), 200)  # a flag, and so the form of a note
    page.goto("/dashboard/")
    requires_trusted_types(page)
    page.locator("[hx-push-url]").nth(1).click()
    page.wait_for_url("**show=**")
    page.evaluate("() => { globalThis.isOfBefore = true }")
    page.go_back()
    # The address changes first, and then htmx loads the page again.
    page.wait_for_function("() => !globalThis.isOfBefore && document.readyState === 'complete'")
    assert page.url.endswith("/dashboard/")
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    requires_trusted_types(page)
    page.wait_for_selector("[data-picture][data-drawn] .main-svg")
    # A half-written note is put aside while the rest is exchanged, and the picture is drawn anew.
    page.evaluate("() => document.querySelector('[data-picture]').removeAttribute('data-drawn')")
    page.evaluate(
        "() => htmx.ajax('GET', `${location.pathname}?seen=`, {target: '#course', swap: 'outerHTML'})"
    )
    page.wait_for_selector("[data-picture][data-drawn] .main-svg")
    assert page.locator("[hx-preserve]").count()
    assert witness.complaints == []


def test_the_clients_form_on_a_tablet_speaks_another_language_and_has_its_worker(tablet, open_form):
    page = open_form(within=tablet)
    assert "require-trusted-types-for" in page.request.get(page.url).headers["content-security-policy"]
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.get_by_role("button", name="Deutsch").click()
    page.wait_for_selector("html[lang=de]")


SINKS = {
    "innerHTML": "document.getElementById('main').innerHTML = '<b id=injected>x</b>'",
    "insertAdjacentHTML": "document.body.insertAdjacentHTML('beforeend', '<b id=injected>x</b>')",
    "parser": "document.body.append(new DOMParser().parseFromString('<b id=injected>x</b>', 'text/html').body)",
    "address of a script": "document.createElement('script').src = '/static/injected.js'",
    "text of a script": "document.createElement('script').textContent = 'document.title = 1'",
    "attribute of an event": "document.body.setAttribute('onclick', 'document.title = 1')",
    "another policy": "trustedTypes.createPolicy('mine', {createHTML: (text) => text})",
    "the default policy again": "trustedTypes.createPolicy('default', {createHTML: (text) => text})",
    "a false event": """
        document.dispatchEvent(new CustomEvent('htmx:beforeSwap', {detail: {pathInfo: {requestPath: ''}, xhr: {
            responseURL: location.href, responseText: '<b id=injected>x</b>', getResponseHeader: () => 'text/html'}}}));
        document.body.append(Document.parseHTMLUnsafe('<b id=injected>x</b>').body)""",
}


def test_a_string_of_a_script_is_refused(olgas_laptop, witness):
    for part in REFUSED:
        witness.expect(part)
    page = olgas_laptop
    page.goto("/dashboard/")
    page.wait_for_function("() => trustedTypes.defaultPolicy")
    taken = {}
    for name, sink in SINKS.items():
        tried = f"() => {{ try {{ {sink} }} catch (error) {{ return error.name }} return 'taken' }}"
        taken[name] = page.evaluate(tried)
    assert set(taken.values()) == {"TypeError"}, taken
    assert page.locator("#injected").count() == 0


def test_without_the_policy_the_same_string_becomes_a_part_of_the_page(olgas_laptop):
    """The control: it is this directive that refuses, and not another."""
    page = olgas_laptop

    def without_it(route):
        answer = route.fetch()
        policy = answer.headers["content-security-policy"].split("; ")
        kept = "; ".join(one for one in policy if "trusted-types" not in one)
        route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": kept})

    page.route("**/dashboard/", without_it)
    page.goto("/dashboard/")
    page.evaluate(f"() => {{ {SINKS['insertAdjacentHTML']} }}")
    assert page.locator("#injected").count() == 1


def test_a_browser_tells_the_site_what_it_refused(olgas_laptop, witness):
    cache.clear()
    for part in REFUSED:
        witness.expect(part)
    page = olgas_laptop
    page.goto("/dashboard/")
    page.wait_for_function("() => trustedTypes.defaultPolicy")
    with page.expect_request_finished(lambda request: request.url.endswith("/policy-reports")):
        page.evaluate(f"() => {{ try {{ {SINKS['innerHTML']} }} catch {{ }} }}")
    assert policy_reports.kept() == {
        Refused("require-trusted-types-for", "trusted-types-sink", "dashboard:work_list"): 1
    }
