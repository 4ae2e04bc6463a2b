"""Pages of staff are compressed where nobody else can choose what stands beside their secrets."""

import gzip
import re

import pytest
from django.test import Client as Browser
from django.urls import reverse

from alliance.models import User
from tests import cast
from tests.alliance.sign_in import just_asked

pytestmark = pytest.mark.django_db
OWN = {"Accept-Encoding": "gzip, deflate, br", "Sec-Fetch-Site": "same-origin"}
HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
NEW_EACH_TIME = re.compile(r"\b[A-Za-z0-9]{64}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
NAME, VALUE = re.compile(r'name="([^"]*)"'), re.compile(r'value="([^"]*)"')


def is_compressed(answer) -> bool:
    return answer.headers.get("Content-Encoding") == "gzip"


def text_of(answer) -> str:
    return gzip.decompress(answer.content).decode() if is_compressed(answer) else answer.text


@pytest.fixture
def olga(clinic, sign_in):
    return sign_in(clinic.olga)


def test_a_page_of_staff_is_the_same_page_in_less_than_half_its_size(clinic, olga):
    address = reverse("dashboard:client", args=[clinic.olgas.code])
    plain = olga.get(address)
    small = olga.get(address, headers=OWN)
    assert not is_compressed(plain)
    assert is_compressed(small)
    assert len(small.content) < len(plain.content) / 2
    assert int(small.headers["Content-Length"]) == len(small.content)
    assert "Accept-Encoding" in small.headers["Vary"]
    assert masked(text_of(small)) == masked(text_of(plain))


def masked(text: str) -> str:
    return NEW_EACH_TIME.sub("", HIDDEN.sub("", text))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", None])
def test_what_another_site_makes_a_browser_ask_for_is_never_compressed(clinic, olga, site):
    """Else it could watch the length of a page with words of its choice in it (BREACH)."""
    headers = {**OWN, "Sec-Fetch-Site": site} if site is not None else {"Accept-Encoding": "gzip"}
    answer = olga.get(
        reverse("dashboard:client", args=[clinic.olgas.code]), {"q": "a guess"}, headers=headers
    )
    assert answer.status_code == 200
    assert not is_compressed(answer)


def test_the_length_of_one_page_differs_by_chance(clinic, olga):
    address = reverse("dashboard:client", args=[clinic.olgas.code])
    assert len({len(olga.get(address, headers=OWN).content) for _ in range(12)}) > 1


PAGES = ["clients:register", "dashboard:work_list"]


@pytest.mark.parametrize("page", [*PAGES, "dashboard:client"])
def test_two_answers_of_one_page_never_hold_the_same_secret(clinic, olga, page):
    """Tokens and keys of forms: whatever a form brings along unseen, but for what names a row or the state of one."""
    address = reverse(page, args=[clinic.olgas.code] if page == "dashboard:client" else [])
    secrets = [secrets_of(text_of(olga.get(address, headers=OWN))) for _ in range(2)]
    assert secrets[0].keys() == secrets[1].keys()
    assert "csrfmiddlewaretoken" in secrets[0]
    for name in secrets[0]:
        assert not secrets[0][name] & secrets[1][name], name
    cookies = {one.value for one in olga.cookies.values()}
    texts = text_of(olga.get(address, headers=OWN))
    assert not [value for value in cookies if len(value) > 20 and value in texts]


def secrets_of(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for field in HIDDEN.findall(text):
        name, value = NAME.search(field), VALUE.search(field)
        if name and value and name[1] in ("csrfmiddlewaretoken", "form_key", "draft"):
            found.setdefault(name[1], set()).add(value[1])
    return found


def test_a_page_that_shows_what_opens_something_is_sent_as_it_is(clinic, sign_in):
    new = User.objects.create(email="nina@clinic.example", name="Nina", is_therapist=True)
    adam = just_asked(sign_in(clinic.adam))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clients.views.clinic.mailed", lambda *_: False)
        invited = adam.post(reverse("clinic:invite", args=[new.pk]), headers=OWN)
    assert "Give this link" in invited.text
    assert not is_compressed(invited)
    assert is_compressed(adam.get(reverse("clinic:people"), headers=OWN))


def test_a_link_for_a_clients_phone_is_sent_as_it_is(clinic, olga):
    cast.therapy_session(clinic.olgas)
    answer = olga.post(reverse("dashboard:make_link", args=[clinic.olgas.code]), headers=OWN)
    assert 'class="short-code"' in answer.text
    assert not is_compressed(answer)


@pytest.mark.parametrize("page", ["mfa_index", "mfa_activate_totp", "account_login", "usersessions_list"])
def test_pages_of_accounts_are_sent_as_they_are(clinic, olga, page):
    browser = Browser() if page == "account_login" else olga
    answer = browser.get(reverse(page), headers=OWN)
    assert answer.status_code in (200, 302)
    assert not is_compressed(answer)
