"""Whether the browser of these tests keeps a page for Back, as those in a clinic do.

Where it does not, whatever the other tests find after Back proves nothing.
"""

KEPT = 'addEventListener("pageshow", (event) => { if (event.persisted) document.title = "kept"; });'


def answer(route):
    name = route.request.url.rpartition("/")[2]
    page = f"<!doctype html><title>{name}</title><script>{KEPT}</script>"
    route.fulfill(body=page, content_type="text/html")


def test_the_browser_keeps_a_page_for_back(page):
    page.route("**/*", answer)
    page.goto("/first")
    page.goto("/second")
    page.evaluate("void setTimeout(() => history.back())")
    page.wait_for_function("() => document.title === 'kept'")
    assert page.url.endswith("/first")
