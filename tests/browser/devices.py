"""A browser in a client's hands, in each of the three ways it gets there."""

from typing import Any

from django.conf import settings
from playwright.sync_api import BrowserContext, Page, expect

from alliance.session_store import SessionStore
from sessions_app.courses.tablets import PairedTablet
from sessions_app.intake import hand_over_actions, room_tablets, sending_actions, short_codes
from tests import cast

FORM, DONE = "/rate/", "/rate/done/"
TITLE = "How was this session?"


class Device:
    """`next_form()` puts the form of the next client on the screen, in the browser that the former one had."""

    def __init__(self, context: BrowserContext, clinic: cast.Clinic, base_url: str) -> None:
        self.context, self.clinic, self.base_url = context, clinic, base_url
        self.page: Page = context.new_page()
        self.forms = 0
        self.set_up()

    def set_up(self) -> None:
        pass

    def session(self) -> Any:
        """Each form is another client's."""
        self.forms += 1
        return cast.therapy_session(cast.episode(self.clinic.olga, f"N-{self.forms}"))

    def next_form(self) -> Page:
        self.bring(self.session())
        expect(self.page.get_by_role("heading", name=TITLE)).to_be_visible(timeout=8_000)
        return self.page

    def bring(self, session: Any) -> None:
        raise NotImplementedError

    def give_cookie(self, name: str, value: str) -> None:
        self.context.add_cookies([{"name": name, "value": value, "url": self.base_url, "httpOnly": True}])


class HandedOver(Device):
    def bring(self, session: Any) -> None:
        _, token = hand_over_actions.hand_over(session=session, by=self.clinic.olga)
        store = SessionStore()
        store["device_lock"] = {"token": token, "return_to": "/dashboard/"}
        store.create()
        self.give_cookie(settings.SESSION_COOKIE_NAME, str(store.session_key))
        self.page.goto(FORM)


class OwnPhone(Device):
    def bring(self, session: Any) -> None:
        self.link = f"/go/#{cast.link(session, by=self.clinic.olga).token}"
        self.page.goto(self.link)
        self.page.get_by_role("button", name="Start").click()
        self.page.wait_for_url("**" + FORM)


def pair(context: BrowserContext, clinic: cast.Clinic, url: str, name: str = "Room 3") -> PairedTablet:
    """From now on this browser is the tablet of a room."""
    key = sending_actions.ask_to_be_paired()
    tablet = sending_actions.pair(pairing_code=short_codes.pairing_code(key), name=name, by=clinic.olga)
    context.add_cookies([{"name": room_tablets.COOKIE, "value": key, "url": url, "httpOnly": True}])
    return tablet


class OfARoom(Device):
    def set_up(self) -> None:
        name = f"Room {PairedTablet.objects.count()}"
        self.row = pair(self.context, self.clinic, self.base_url, name)
        self.page.goto("/room/")
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()

    def bring(self, session: Any) -> None:
        with self.page.expect_response(lambda answer: answer.url.endswith("/room/start/")):
            cast.sent(session, tablet=self.row, by=self.clinic.olga)
        self.page.wait_for_url("**" + FORM)


WAYS = {"handed over": HandedOver, "own phone": OwnPhone, "room": OfARoom}
