import pytest
from playwright.sync_api import expect
from alliance.session_store import SessionStore
from sessions_app.courses.grants import RatingGrant
from tests import cast
from tests.browser.conftest import PHONE, TABLET, NARROW, _give_session
from tests.sessions_app.intake import inventories

SIZES = {"tablet": TABLET, "phone": PHONE, "narrow": NARROW, "laptop": {"width": 1280, "height": 800}}


def open_it(
    another_browser, clinic, live_server, instrument, languages=("en",), size="tablet", language="en", **opt
):
    for tag in languages:
        inventories.loaded(clinic.adam, instrument, tag)
    context = another_browser(viewport=SIZES[size], **opt)
    clinic.olgas.client.language = language
    clinic.olgas.client.save()
    grant, token = inventories.given(cast.therapy_session(clinic.olgas), instrument, by=clinic.olga)
    store = SessionStore()
    store["device_lock"] = {"token": token, "return_to": "/"}
    store.create()
    _give_session(context, live_server.url, store.session_key)
    page = context.new_page()
    page.goto("/rate/")
    return page


@pytest.mark.parametrize(
    "instrument,size,language,scheme",
    [
        ("wai", "tablet", "en", "light"),
        ("wai", "phone", "en", "light"),
        ("wai", "narrow", "de", "light"),
        ("wai", "phone", "ar", "dark"),
        ("wai-sr", "tablet", "ar", "light"),
        ("vpps", "narrow", "ar", "light"),
        ("wai", "laptop", "de", "dark"),
        ("phq-9", "tablet", "en", "light"),
        ("phq-9", "phone", "en", "light"),
    ],
)
def test_shots(another_browser, live_clinic, live_server, instrument, size, language, scheme, axe):
    if instrument == "phq-9":
        context = None
        langs = ()
    else:
        langs = {"en", language}
    page = open_it(
        another_browser, live_clinic, live_server, instrument, langs, size, language, color_scheme=scheme
    )
    n = f"/tmp/shots/{instrument}-{size}-{language}-{scheme}"
    page.screenshot(path=n + "-1.png")
    print(axe(page))
    if page.locator("[data-next]").is_visible():
        page.locator("[data-next]").click()
        page.wait_for_timeout(100)
        page.screenshot(path=n + "-2.png")
        page.locator(".choices:visible label").nth(2).click()
        page.locator("[data-next]").click()
        page.locator("[data-next]").click()
        page.locator(".choices:visible label").nth(6 if instrument != "phq-9" else 3).click()
        page.screenshot(path=n + "-3.png")
        print(axe(page))
        while page.locator("[data-next]").is_visible():
            page.locator("[data-next]").click()
        page.screenshot(path=n + "-4.png")
    else:
        for i in range(1, 6):
            page.locator(f"#line-item-{i} .choices label").nth(i % 4).click()
        page.evaluate("scrollTo(0, 900)")
        page.wait_for_timeout(100)
        page.screenshot(path=n + "-2.png")
    page.locator("[data-pause]:visible").click()
    page.screenshot(path=n + "-pause.png")
    print(axe(page))
    page.locator("[data-go-on]").click()
    page.locator(".last button").click()
    page.screenshot(path=n + "-review.png")
    print(axe(page))
    page.locator("[data-unmarked] li:visible button").first.click()
    page.screenshot(path=n + "-mend.png")
    print(axe(page))
    print(page.evaluate("[document.documentElement.scrollWidth, innerWidth]"))
