"""The main job as its people do it: hand over, mark, see, talk, look after it."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from sessions_app.courses.models import Rating
from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Flag
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, PHONE, TABLET, case
from tests.browser.pictures import picture
from tests.sessions_app import answered

SOON = 15_000  # it asks every three seconds; a busy machine takes its time


def sign_in(page: Page, name: str) -> None:
    """Through the sign-in page, as a person does."""
    if "/accounts/login/" not in page.url:
        page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(f"{name}@clinic.example")
    page.get_by_label("Password", exact=True).fill(cast.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/accounts/" not in address)


def mark(page: Page, finger, item: str, share: float) -> None:
    """Put a finger on a line, at this share of its length."""
    strip = page.locator(f"#line-{item} [data-strip]")
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    finger.touch((box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2))


@pytest.fixture
def course(live_clinic):
    """Five steady ratings, the last one a week ago."""
    return cast.rated_course(live_clinic.olgas, [380, 375, 385, 380, 378], last_ago=timedelta(weeks=1))


@pytest.mark.pictures
def test_from_hand_over_to_the_conversation_and_to_supervision(
    context, another_browser, live_clinic, course, finger, axe
):
    laptop = another_browser(viewport=LAPTOP).new_page()
    sign_in(laptop, "olga")
    laptop.get_by_role("link", name="K-1", exact=True).first.click()
    expect(laptop.get_by_text("5 complete ratings")).to_be_visible()

    tablet = context.new_page()
    sign_in(tablet, "olga")
    tablet.get_by_role("link", name="Hand over the tablet to K-1").click()
    expect(tablet.get_by_text("6, a new one, now")).to_be_visible()
    tablet.get_by_role("button", name="Hand over").click()
    expect(tablet.get_by_role("heading", name="How was this session?")).to_be_visible()
    assert "K-1" not in tablet.content()
    finger_of_client = finger(tablet)
    for item, share in (("relationship", 0.92), ("goals", 0.61), ("approach", 0.9), ("overall", 0.88)):
        mark(tablet, finger_of_client, item, share)
    picture(tablet, "rate")
    tablet.get_by_role("button", name="Check, then hand in").click()
    tablet.get_by_role("button", name="Hand in").click()
    expect(tablet.get_by_role("heading", name="Please hand the tablet back")).to_be_visible()

    rating = Rating.objects.latest("received_at")
    assert rating.total < 360
    expect(laptop.locator("#course-words").get_by_text("6 complete ratings")).to_be_visible(timeout=SOON)
    expect(laptop.get_by_text("points lower than last time")).to_be_visible()
    laptop.wait_for_timeout(600)  # the chart draws
    picture(laptop, "client")

    tablet.get_by_role("link", name="Staff: sign in").click()
    sign_in(tablet, "olga")
    expect(tablet).to_have_url(
        f"{tablet.url.split('/dashboard')[0]}/dashboard/clients/{live_clinic.olgas.code}/"
    )
    flag = Flag.objects.get(rating=rating, rule="C")
    assert flag.evidence["line"] == "goals"
    strongest = min(Flag.objects.filter(rating=rating), key=lambda one: one.strength)
    expect(tablet.get_by_text(strongest.question)).to_be_visible()
    tablet.get_by_label("What the client said").fill("We spoke too little about my job.")
    tablet.get_by_label("What we change").fill("Start with the job.")
    tablet.get_by_role("button", name="We talked about it").click()
    expect(tablet.get_by_text("Noted. The next rating shows whether it helped.")).to_be_visible()
    assert not answered.calling().exists()
    expect(laptop.get_by_text("Start with the job.").first).to_be_visible(timeout=SOON)

    supervisor = another_browser(viewport=LAPTOP).new_page()
    sign_in(supervisor, "sina")
    expect(supervisor.get_by_text("Start with the job.").first).to_be_visible()
    for name in ("stefan", "adam"):
        other = another_browser(viewport=LAPTOP).new_page()
        sign_in(other, name)
        assert "K-1" not in other.content()
        assert "Start with the job." not in other.content()
        refused = other.request.get(f"/caseload/clients/{live_clinic.olgas.code}/")
        assert refused.status == (404 if name == "stefan" else 403)


class TestTheOpenPage:
    @pytest.fixture
    def page_of_client(self, context, live_clinic, course, sign_in_browser):
        sign_in_browser(context, live_clinic.olga)
        page = context.new_page()
        page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
        return page

    def test_keeps_a_half_written_line_when_a_rating_arrives(self, page_of_client, live_clinic):
        cast.rating(cast.therapy_session(live_clinic.olgas, ago=timedelta(days=2)), 320)
        said = page_of_client.get_by_label("What the client said").first
        said.fill("half a sent", timeout=SOON)
        cast.rating(cast.therapy_session(live_clinic.olgas), 380)
        expect(page_of_client.locator("#course-words").get_by_text("7 complete ratings")).to_be_visible(
            timeout=SOON
        )
        expect(said).to_have_value("half a sent")

    def test_draws_the_chart_and_offers_to_share_it_with_nobody(self, page_of_client):
        expect(page_of_client.locator("[data-chart] .main-svg").first).to_be_visible()
        assert page_of_client.locator(".modebar-btn").count() == 0

    def test_says_what_is_missing_and_loses_no_word(self, page_of_client, live_clinic, witness):
        witness.expect("status of 422")
        cast.rating(cast.therapy_session(live_clinic.olgas), 320)
        agreed = page_of_client.get_by_label("What we change")
        agreed.fill("Shorter homework.", timeout=SOON)
        page_of_client.get_by_role("button", name="We talked about it").click()
        expect(page_of_client.get_by_text("Write in one line what the client said.").first).to_be_visible()
        expect(agreed).to_have_value("Shorter homework.")
        page_of_client.get_by_label("What the client said").fill("Too much homework.")
        page_of_client.get_by_role("button", name="We talked about it").click()
        expect(page_of_client.get_by_text("Noted.")).to_be_visible()
        page_of_client.get_by_role("button", name="Undo").click()
        expect(page_of_client.get_by_text("Taken back. The flag is open again.")).to_be_visible()


class TestIdle:
    def test_a_minute_before_the_end_one_press_keeps_the_sign_in(self, context, live_clinic, sign_in_browser):
        sign_in_browser(context, live_clinic.olga)
        page = context.new_page()
        page.clock.install()
        page.goto("/dashboard/")
        notice = page.get_by_role("dialog", name="Are you still there?")
        page.clock.run_for(13 * 60_000)
        expect(notice).not_to_be_visible()
        page.clock.run_for(61_000 + 5_000)
        expect(notice).to_be_visible()
        with page.expect_response("**/accounts/still-here/") as kept:
            notice.get_by_role("button", name="Stay signed in").click()
        assert kept.value.status == 204
        expect(notice).not_to_be_visible()


STAFF_PAGES = {
    "olga": [
        "/dashboard/",
        "/dashboard/clients/{olgas}/",
        "/dashboard/clients/{olgas}/hand-over/",
        "/dashboard/clients/{olgas}/sessions/add/",
        "/dashboard/sessions/{unrated}/rating/",
        "/dashboard/clients/{olgas}/rating/",
        "/dashboard/sessions/{unrated}/change/",
        "/dashboard/sessions/{unrated}/void/",
        "/clients/",
        "/clients/new/",
        "/clients/{client}/",
        "/accounts/security/",
        "/accounts/2fa/",
        "/accounts/sessions/",
        "/accounts/password/change/",
    ],
    "sina": ["/caseload/", "/caseload/clients/{olgas}/"],
    "adam": ["/clinic/", "/clinic/people/new/", "/clinic/supervision/", "/clinic/log/", "/clients/"],
    "strange": ["/"],
}
PAGES = [(name, address) for name, addresses in STAFF_PAGES.items() for address in addresses]


@pytest.mark.parametrize("name", STAFF_PAGES)
def test_every_page_of_staff_is_open_to_everybody_and_fits_every_screen(
    another_browser, live_clinic, course, sign_in_browser, axe, name
):
    last = cast.therapy_session(live_clinic.olgas, ago=timedelta(hours=2))
    cast.rating(last, 320, comment="We spoke too little about my job.")
    unrated = cast.therapy_session(live_clinic.olgas, ago=timedelta(hours=1))
    if name == "sina":
        discussion_actions.discuss(
            flags=last.flags.all(), said="Too much.", agreed="Less.", by=live_clinic.olga
        )
    codes = {
        "olgas": live_clinic.olgas.code,
        "client": live_clinic.olgas.client.code,
        "unrated": unrated.code,
    }
    for scheme in ("light", "dark"):
        with case(scheme):
            browser = another_browser(viewport=LAPTOP, color_scheme=scheme, reduced_motion="reduce")
            sign_in_browser(browser, getattr(live_clinic, name))
            page = browser.new_page()
            for address in STAFF_PAGES[name]:
                page.goto(address.format(**codes))
                for viewport in (LAPTOP, TABLET, PHONE, NARROW) if scheme == "light" else (LAPTOP,):
                    page.set_viewport_size(viewport)
                    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], address
                    for chart in page.locator(".main-svg:visible").all():
                        expect(chart).to_have_js_property(
                            "scrollWidth", chart.evaluate("e => e.closest('.chart').clientWidth")
                        )
                    # Colours do not change with the width, and what does change is at its ends.
                    if viewport is LAPTOP or (viewport is PHONE and scheme == "light"):
                        assert axe(page) == [], address
            browser.close()
