"""The client's form as a browser sends it, for the tests of every channel."""

from html.parser import HTMLParser

from django.conf import settings
from django.urls import reverse

from sessions_app.courses.models import Rating, SetAsideRating
from tests import cast

FORM, DONE, NOT_TODAY, HELP = (reverse(f"rate:{name}") for name in ("form", "done", "not_today", "help"))
NONE_STORED = (0, 0)


def marks(**fields):
    return {
        "step": "hand-in",
        "mode": "line",
        "comment": "",
        **dict(zip(cast.ITEMS, ("71", "82", "93", "100"), strict=True)),
        **fields,
    }


def stored():
    return Rating.objects.count(), SetAsideRating.objects.count()


def key_of(client):
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def put_lock(client, token, return_to="/"):
    session = client.session
    session["device_lock"] = {"token": token, "return_to": return_to}
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key


class HiddenFields(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = {}

    def handle_starttag(self, tag, attributes):
        fields = dict(attributes)
        if tag == "input" and fields.get("type") == "hidden" and fields["name"] != "csrfmiddlewaretoken":
            self.found[fields["name"]] = fields["value"]

    @classmethod
    def of(cls, page):
        parser = cls()
        parser.feed(page)
        return parser.found
