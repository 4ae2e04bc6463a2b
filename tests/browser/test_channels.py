"""The form on the client's own phone and on the tablet of a room, as people use them."""

import os
import re

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.courses.tablets import PairedTablet
from tests import cast
from tests.browser.conftest import LAPTOP, PHONE, TABLET
from tests.browser.devices import pair
from tests.browser.traces import at_rest, step

# Milliseconds. A form that was sent shows within three seconds, as one just paired asks every two (room_tablets.py):
# a busy machine may take longer, and how long is no business of a test.
WITHIN = 8_000
SHOT = os.environ.get("SHOTS")


def shot(page: Page, name: str) -> None:
    """For somebody who wants to look; a test run leaves no files."""
    if SHOT:
        page.screenshot(path=f"{SHOT}/{name}.png", full_page=True)


def seen_whole(page: Page) -> bool:
    """Nothing lies beside the screen."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def rate(page: Page) -> None:
    expect(page.get_by_role("heading", name="How was this session?")).to_be_visible()
    next_lines = page.locator("[data-next]")  # on a phone the lines take turns, two at a time
    for item in cast.ITEMS:
        if not page.locator(f"#line-{item}").is_visible():
            next_lines.click()
        page.locator(f"#line-{item} [data-strip]").click(position={"x": 200, "y": 30})
    if next_lines.is_visible():
        next_lines.click()
    page.locator(".last button").click()
    page.get_by_role("button", name="Hand in").click()


@pytest.fixture
def therapist(context: BrowserContext, live_clinic, sign_in_browser) -> Page:
    """Olga's laptop, with a session of K-1 to rate today."""
    cast.therapy_session(live_clinic.olgas)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    page.set_viewport_size(LAPTOP)
    return page


def ways_to_ask(page: Page) -> None:
    page.goto("/dashboard/")
    page.get_by_role("link", name="Hand over the tablet to K-1").first.click()


class TestThePhone:
    @pytest.fixture
    def link(self, therapist, axe) -> str:
        ways_to_ask(therapist)
        shot(therapist, "ways-laptop")
        assert axe(therapist) == []
        therapist.get_by_role("button", name="Send to the phone").click()
        expect(therapist.get_by_role("img", name="QR code")).to_be_visible()
        expect(therapist.get_by_text("Sent, not opened")).to_be_visible()
        box = therapist.get_by_role("img", name="QR code").bounding_box()
        assert box["width"] >= 360
        assert axe(therapist) == []
        shot(therapist, "link-laptop")
        for size, name in ((PHONE, "phone"), (TABLET, "tablet")):
            therapist.set_viewport_size(size)
            assert seen_whole(therapist)
            shot(therapist, f"link-{name}")
        return therapist.get_by_label("Link for this client alone").input_value()

    def test_from_the_picture_to_close_this_page(self, therapist, link, another_browser, axe):
        asked: list[str] = []
        phone_context = another_browser(viewport=PHONE)
        phone_context.on("request", lambda request: asked.append(request.url + str(request.headers)))
        phone = phone_context.new_page()
        token = link.partition("#")[2]
        phone.goto(link)
        expect(phone.get_by_role("button", name="Start")).to_have_count(1)
        assert phone.url.endswith("/go/")
        assert phone.evaluate("location.hash + history.length") == "2"
        assert axe(phone) == []
        assert seen_whole(phone)
        shot(phone, "go-phone")
        phone.reload()  # the token is gone from the address, and nothing is lost
        expect(phone.get_by_label("Code")).to_be_visible()
        shot(phone, "code-phone")
        phone.goto(link)
        phone.get_by_role("button", name="Start").click()
        phone.wait_for_url("**/rate/")
        expect(therapist.get_by_text("Opened", exact=True)).to_be_visible(timeout=5_000)
        assert "K-1" not in phone.content()
        rate(phone)
        expect(phone.get_by_role("heading", name="Thank you. You can close this page.")).to_be_visible()
        expect(phone.get_by_text("Staff")).to_have_count(0)
        assert axe(phone) == []
        shot(phone, "done-phone")
        expect(therapist.get_by_text("Rated", exact=True)).to_be_visible(timeout=5_000)
        assert Rating.objects.get().grant.channel == "phone"
        assert not any(token in one for one in asked)
        for _ in range(3):
            step(phone, -1)
            at_rest(phone)
            assert token not in phone.content()
            assert phone.url.endswith(("/rate/done/", "/go/", "about:blank"))
        therapist.get_by_role("link", name="Back to K-1").click()
        shot(therapist, "client-laptop")

    def test_the_same_link_on_another_phone_is_told_and_pasted_anew_it_is_seen(
        self, link, another_browser, axe
    ):
        first = another_browser(viewport=PHONE)
        second = another_browser(viewport=PHONE)
        page = first.new_page()
        page.goto("/go/")
        page.evaluate("hash => { location.hash = hash }", link.partition("#")[2])
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/rate/")
        late = second.new_page()
        late.goto(link)
        # At once, and not after it was said to be ready.
        expect(late.get_by_role("heading")).to_contain_text("was opened already")
        expect(late.get_by_role("button", name="Start")).to_have_count(0)
        expect(late.get_by_role("link", name="I have a code")).to_be_visible()
        assert axe(late) == []
        shot(late, "used-phone")

    def test_without_javascript_the_short_code_is_the_way(self, therapist, link, another_browser):
        short_code = therapist.locator(".short-code").inner_text()
        phone = another_browser(viewport=PHONE, java_script_enabled=False).new_page()
        phone.goto(link)
        phone.get_by_label("Code").fill(short_code.lower())
        phone.get_by_role("button", name="Start").click()
        phone.wait_for_url("**/rate/")
        phone.locator("#line-goals label", has=phone.locator("input[value='70']")).click()
        phone.get_by_role("button", name="Check, then hand in").click()
        phone.get_by_role("button", name="Hand in").click()
        expect(phone.get_by_role("heading", name="Thank you. You can close this page.")).to_be_visible()
        assert Rating.objects.get().answers["goals"] == 70


class TestTheRoom:
    @pytest.fixture
    def tablet(self, another_browser) -> Page:
        complains = ("status of 410", "ERR_INTERNET_DISCONNECTED")
        return another_browser(viewport=TABLET, complains=complains).new_page()

    @pytest.fixture
    def room(self, tablet, live_clinic, base_url) -> Page:
        """The tablet in room 3."""
        pair(tablet.context, live_clinic, base_url)
        tablet.goto("/room/")
        expect(tablet.get_by_role("heading", name="Room 3")).to_be_visible()
        return tablet

    def pair(self, page: Page, therapist: Page, axe) -> None:
        """As people do it."""
        page.goto("/room/")
        assert axe(page) == []
        shot(page, "pair-tablet")
        page.get_by_role("button", name="Show the code").click()
        shown = page.locator(".code").inner_text()
        assert axe(page) == []
        shot(page, "pairing-code-tablet")
        therapist.goto("/dashboard/")
        with therapist.expect_navigation():
            therapist.get_by_role("link", name="Tablets").click()
        assert axe(therapist) == []
        therapist.get_by_role("link", name="Pair a tablet").first.click()
        therapist.get_by_label("Code on the tablet").fill(shown)
        therapist.get_by_label("Name").fill("Room 3")
        assert axe(therapist) == []
        shot(therapist, "pair-laptop")
        therapist.get_by_role("button", name="Pair").click()
        expect(therapist.get_by_role("rowheader", name="Room 3")).to_be_visible()
        assert axe(therapist) == []
        shot(therapist, "tablets-laptop")
        expect(page.get_by_role("heading", name="Room 3")).to_be_visible(timeout=WITHIN)
        assert axe(page) == []
        shot(page, "waiting-tablet")

    def send(self, therapist: Page) -> None:
        ways_to_ask(therapist)
        shot(therapist, "ways-with-room-laptop")
        therapist.get_by_role("button", name="Send to Room 3").click()

    def test_pair_send_rate_and_wait_again(self, tablet, therapist, axe):
        room = tablet
        self.pair(room, therapist, axe)
        self.send(therapist)
        expect(room.get_by_role("heading", name="How was this session?")).to_be_visible(timeout=WITHIN)
        expect(therapist.get_by_text("Sent to Room 3.")).to_be_visible()
        assert "K-1" not in room.content()
        assert axe(room) == []
        expect(therapist.get_by_text("Opened", exact=True)).to_be_visible(timeout=5_000)
        rate(room)
        expect(room.get_by_role("heading", name="Thank you. You can leave the tablet here.")).to_be_visible()
        expect(room.get_by_text("Staff")).to_have_count(0)
        assert axe(room) == []
        shot(room, "done-tablet")
        expect(room.get_by_role("heading", name="Room 3")).to_be_visible(timeout=10_000)
        assert Rating.objects.get().grant.paired_tablet == PairedTablet.objects.get()
        for _ in range(4):
            step(room, -1)
            at_rest(room)
            assert room.url.endswith(("/room/", "/rate/done/", "about:blank"))
            assert room.locator(":checked").count() == 0

    def test_a_newer_form_and_a_revocation_take_the_place_of_the_open_one(self, room, therapist, live_clinic):
        self.send(therapist)
        room.locator("#comment").fill("Mine.", timeout=WITHIN)
        other = cast.episode(live_clinic.olga, "K-9")
        tablet = PairedTablet.objects.get()
        cast.sent(cast.therapy_session(other), tablet=tablet, by=live_clinic.olga)
        expect(room.locator("#comment")).to_have_value("", timeout=WITHIN)
        assert RatingGrant.objects.latest("made_at").opened_at
        therapist.goto("/tablets/")
        therapist.get_by_role("link", name="Revoke Room 3").click()
        therapist.get_by_role("button", name="Revoke").click()
        expect(room.get_by_role("heading", name="This tablet is no longer paired.")).to_be_visible(
            timeout=WITHIN
        )
        shot(room, "revoked-tablet")

    def test_a_lost_connection_is_said_and_waited_out(self, room, therapist):
        room.context.set_offline(True)
        expect(room.get_by_text("No connection to the clinic.")).to_be_visible(timeout=WITHIN)
        room.context.set_offline(False)
        expect(room.get_by_text("No connection to the clinic.")).to_have_count(0, timeout=WITHIN)
        self.send(therapist)
        expect(room.get_by_role("heading", name="How was this session?")).to_be_visible(timeout=WITHIN)

    def test_its_address_bar_leads_to_no_page_of_staff(self, room):
        for address in ("/", "/dashboard/", "/accounts/login/", "/clinic/", "/tablets/", "/go/", "/rate/"):
            room.goto(address)
            assert re.search(r"/room/$", room.url), address
        assert room.request.get(reverse("tablets:list"), max_redirects=0).status == 303

    def test_pairing_clears_the_other_tabs_of_whoever_was_signed_in(self, therapist):
        second = therapist.context.new_page()
        second.goto("/dashboard/")
        expect(second.get_by_text("K-1").first).to_be_visible()
        therapist.goto("/room/")
        therapist.get_by_role("button", name="Show the code").click()
        expect(second.get_by_text("This screen was cleared")).to_be_visible()
        assert "K-1" not in second.content()
