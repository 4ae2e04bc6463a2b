"""Requests of before the device went into somebody else's hands, sent again: none shows anything.

Each promise stands beside a control that takes its protection away and sees the leak.
"""

import re

import pytest
from django.test import Client
from django.urls import reverse

from alliance import device_lock
from alliance.session_store import SessionStore
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import SetAsideRating
from sessions_app.intake import sending_actions
from sessions_app.intake.views import rate, room
from tests import cast
from tests.alliance.page_table import OURS, addresses
from tests.built_once import copy_of, kept_open
from tests.canaries import CANARIES, planted
from tests.sessions_app.intake.pairing import code_on
from tests.sessions_app.intake.rate_form import marks

pytestmark = pytest.mark.django_db

FORM, DONE, GO = reverse("rate:form"), reverse("rate:done"), reverse("go:start")
ROOM, SIGN_IN = reverse("room:home"), reverse("account_login")
WORK_LIST, LIST = reverse("dashboard:work_list"), reverse("clients:list")
BY_STAFF = "allauth.account.auth_backends.AuthenticationBackend"
HTMX = {"HX-Request": "true"}
POLL = {**HTMX, "X-Poll": "1"}


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        clinic = with_codes(cast.clinic())
        yield clinic, at_her_pages(clinic).cookies


@pytest.fixture
def copied(built):
    return copy_of(built)


@pytest.fixture
def clinic(copied):
    return copied[0]


@pytest.fixture
def olgas(copied):
    """Olga's, on the tablet, with her pages open."""
    olgas = Client()
    olgas.cookies = copied[1]
    return olgas


def with_codes(clinic):
    planted(clinic)
    clinic.course = reverse("dashboard:client", args=[clinic.olgas.code])
    sessions = list(clinic.olgas.sessions.order_by("number"))
    clinic.codes = {
        "clients:": [clinic.olgas.client.code, clinic.olgas.code],
        "clinic:": [clinic.olga.pk],
        "dashboard:": [clinic.olgas.code, sessions[-1].code, sessions[-2].code],
        "caseload:": [clinic.olgas.code],
        "supervision:": [clinic.olgas.code, clinic.olga.pk],
        "tablets:": [clinic.olga.pk],
        "instruments:": [clinic.olga.pk],
        "together:": [clinic.olgas.code],
        "marks:": [clinic.olgas.code],
        "questionnaires:": [clinic.olgas.code],
        "groups:": [clinic.olgas.code],
        "plan:": [clinic.olgas.code],
        "records:": [clinic.olgas.client.code],
        "erasures:": [clinic.olgas.client.code],
        "import:": [clinic.olgas.client.code],
        "approvals:": [clinic.olga.pk],
        "rules:": [clinic.olga.pk],
        "settings:": [clinic.olga.pk],
    }
    return clinic


def at_her_pages(clinic):
    olgas = Client()
    olgas.force_login(clinic.olga, backend=BY_STAFF)
    assert {"label", "said", "agreed", "comment", "total"} <= told(olgas.get(clinic.course))
    assert {"label", "other label", "reason"} <= told(olgas.get(WORK_LIST))
    assert "question" in told(olgas.get(reverse("rules:questions")))
    return olgas


def told(answer) -> set[str]:
    """The canaries in an answer: body, headers and cookies."""
    return CANARIES.in_text(f"{answer.text}\n{answer.headers}\n{answer.cookies.output()}")


# --- The three ways a browser is locked ------------------------------------------------------------


def hand_over(olgas, clinic):
    answer = olgas.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    assert answer.headers["Location"] == FORM


def open_the_link(olgas, clinic):
    link = cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga)
    assert olgas.post(GO, {"token": link.token}).headers["Location"] == FORM


def be_the_rooms(olgas, clinic):
    olgas.post(ROOM)
    row = sending_actions.pair(pairing_code=code_on(olgas), name="Room 3", by=clinic.adam)
    cast.sent(cast.therapy_session(clinic.olgas), tablet=row, by=clinic.olga)
    assert olgas.post(reverse("room:start")).headers["Location"] == FORM


WAYS = [hand_over, open_the_link, be_the_rooms]
every_way = pytest.mark.parametrize("lock", WAYS, ids=["handed over", "own phone", "room"])


def without_flush(request):
    """`logout` as it must not be: a new session, and the old one goes on."""
    request.session = SessionStore()
    request.session.modified = True


def without_logout(monkeypatch):
    for module in (device_lock, room):
        monkeypatch.setattr(module, "logout", without_flush)


def as_before(olgas) -> Client:
    """Another browser with the cookies this one has now: stolen, restored, or written back."""
    other = Client()
    for name, morsel in olgas.cookies.items():
        other.cookies[name] = morsel.value
    return other


# --- Old cookie, old polling -----------------------------------------------------------------------


@every_way
def test_the_cookie_of_before_opens_nothing(olgas, clinic, lock):
    old = as_before(olgas)
    lock(olgas, clinic)
    for url in (clinic.course, WORK_LIST, LIST):
        answer = old.get(url)
        assert (answer.status_code, told(answer)) == (302, set())
        assert answer.headers["Location"].startswith(SIGN_IN)


@every_way
def test_control_without_the_flush_it_opens_the_clients_page(olgas, clinic, lock, monkeypatch):
    without_logout(monkeypatch)
    old = as_before(olgas)
    lock(olgas, clinic)
    assert "said" in told(old.get(clinic.course))


def handed_in_twice(olgas, clinic, lock) -> int:
    """The client hands in; then somebody sends other marks with the cookie the client had. Marks kept aside."""
    lock(olgas, clinic)
    old = as_before(olgas)
    assert olgas.post(FORM, {**marks(), "step": "hand-in"}).headers["Location"] == DONE
    assert olgas.get(DONE).status_code == 200
    answer = old.post(FORM, {**marks(goals="7"), "step": "hand-in"})
    assert told(answer) == set()
    return SetAsideRating.objects.count()


@every_way
def test_the_clients_own_cookie_of_before_hands_in_nothing(olgas, clinic, lock):
    assert handed_in_twice(olgas, clinic, lock) == 0


@every_way
def test_control_with_the_clients_session_left_it_does(olgas, clinic, lock, monkeypatch):
    def not_flushed(request, **_):
        """`device_lock.hand_in` as it must not be: a new session, and the one with the grant goes on."""
        request.session = SessionStore()
        request.session["device_lock"] = {"token": "", "return_to": ""}

    monkeypatch.setattr(device_lock, "hand_in", not_flushed)
    assert handed_in_twice(olgas, clinic, lock) == 1


@every_way
@pytest.mark.parametrize("headers", [HTMX, POLL], ids=["a piece", "a poll"])
def test_a_page_that_goes_on_asking_is_sent_away(olgas, clinic, lock, headers):
    """With the cookie of before, as a question under way has it, and with the new one."""
    old = as_before(olgas)
    lock(olgas, clinic)
    for asker in (old, olgas):
        for url in (f"{WORK_LIST}?seen=before", f"{clinic.course}?seen=before"):
            answer = asker.get(url, headers=headers)
            assert (answer.status_code, told(answer)) == (204, set())
            assert answer.headers["HX-Redirect"] in {FORM, SIGN_IN, ROOM}
    assert olgas.get(FORM).status_code == 200  # and none of these answers took the client's cookie away


def test_control_a_poll_of_somebody_signed_in_brings_the_page(olgas, clinic):
    assert "label" in told(olgas.get(f"{WORK_LIST}?seen=before", headers=POLL))


# --- Address bar -----------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "piece"])
def test_no_address_of_staff_shows_anything(olgas, clinic, lock, headers):
    lock(olgas, clinic)
    seen = 0
    for name, entry in OURS:
        for url in addresses(clinic, name, entry):
            for ask in (olgas.get, olgas.post):
                answer = ask(url, headers=headers)
                assert answer.status_code in {303, 204, 403}, url
                assert told(answer) == set(), url
                seen += 1
    assert seen > 60
    assert olgas.get(FORM).status_code == 200


@pytest.mark.parametrize("lock", [hand_over, open_the_link], ids=["handed over", "own phone"])
def test_control_a_hand_over_that_only_leads_elsewhere_leaves_them_open(olgas, clinic, lock, monkeypatch):
    monkeypatch.setattr(device_lock, "lock", lambda request, **_: None)
    lock(olgas, clinic)
    assert "said" in told(olgas.get(clinic.course))


def test_control_a_room_whose_pairing_leaves_the_sign_in_is_still_closed(olgas, clinic, monkeypatch):
    """Two protections: the pairing signs out, and a browser with a room's key is never signed in."""
    monkeypatch.setattr(room, "logout", lambda request: None)
    olgas.post(ROOM)
    assert "said" in told(olgas.get(clinic.course))  # while the code shows, the first alone protects
    sending_actions.pair(pairing_code=code_on(olgas), name="Room 3", by=clinic.adam)
    assert told(olgas.get(clinic.course)) == set()
    assert olgas.get(clinic.course).headers["Location"] == ROOM


# --- Old CSRF token --------------------------------------------------------------------------------


def strict(olgas) -> Client:
    olgas.handler.enforce_csrf_checks = True
    return olgas


def token_on(page) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]


@every_way
def test_a_form_of_before_writes_nothing(olgas, clinic, lock):
    token = token_on(olgas.get(clinic.course))
    lock(olgas, clinic)
    answer = strict(olgas).post(FORM, {**marks(), "step": "hand-in", "csrfmiddlewaretoken": token})
    assert (answer.status_code, told(answer)) == (403, set())
    assert not RatingGrant.objects.latest("made_at").session.ratings.exists()
    fresh = token_on(olgas.get(FORM))
    assert olgas.post(FORM, {**marks(), "step": "hand-in", "csrfmiddlewaretoken": fresh}).status_code == 303


@every_way
def test_control_with_the_token_kept_it_writes(olgas, clinic, lock, monkeypatch):
    monkeypatch.setattr(device_lock, "rotate_token", lambda request: None)
    token = token_on(olgas.get(clinic.course))
    lock(olgas, clinic)
    answer = strict(olgas).post(FORM, {**marks(), "step": "hand-in", "csrfmiddlewaretoken": token})
    assert answer.status_code == 303


def signed_in_after(olgas, clinic) -> tuple[str, Client]:
    """The token the client's form had, and the browser with Olga back at it."""
    hand_over(olgas, clinic)
    token = token_on(olgas.get(FORM))
    olgas.post(FORM, {**marks(), "step": "hand-in"})
    olgas.get(DONE)
    olgas.post(SIGN_IN, {"login": clinic.olga.email, "password": cast.PASSWORD})
    assert olgas.get(clinic.course).status_code == 200
    return token, strict(olgas)


def test_the_clients_token_is_dead_once_staff_are_back(olgas, clinic):
    token, olgas = signed_in_after(olgas, clinic)
    answer = olgas.post(reverse("still_here"), {"csrfmiddlewaretoken": token})
    assert answer.status_code == 403


def test_control_with_the_sign_in_keeping_it_it_lives(olgas, clinic, monkeypatch):
    monkeypatch.setattr("django.contrib.auth.rotate_token", lambda request: None)
    token, olgas = signed_in_after(olgas, clinic)
    answer = olgas.post(reverse("still_here"), {"csrfmiddlewaretoken": token})
    assert answer.status_code == 204


# --- Messages that waited --------------------------------------------------------------------------


def leave_a_message(olgas, clinic):
    """A change of a second tab whose next page never came: "... is registered" still waits."""
    label = f"{CANARIES.words['label']} B"
    answer = olgas.post(
        reverse("clients:register"),
        {"label": label, "language": "en", "age_band": "adult", "opened_on": "2026-01-07"},
    )
    assert answer.status_code == 302


@every_way
def test_a_message_that_waited_is_gone(olgas, clinic, lock):
    leave_a_message(olgas, clinic)
    lock(olgas, clinic)
    for url in (FORM, SIGN_IN, GO, ROOM):
        assert told(olgas.get(url, follow=True)) == set()
    assert CANARIES.in_text(olgas.cookies.output()) == set()


def test_control_kept_in_a_cookie_it_shows_on_the_sign_in_page(olgas, clinic, settings):
    settings.MESSAGE_STORAGE = "django.contrib.messages.storage.fallback.FallbackStorage"
    leave_a_message(olgas, clinic)
    hand_over(olgas, clinic)
    assert "label" in told(olgas.get(SIGN_IN))


# --- Error pages -----------------------------------------------------------------------------------


def break_down(*args, **options):
    secret = " ".join(CANARIES.words.values())
    raise RuntimeError(len(secret))


ERRORS = [
    (404, lambda b: Client().get("/nothing/here/")),
    (405, lambda b: b.put(FORM)),
    (403, lambda b: strict(b).post(FORM, marks())),
    (400, lambda b: b.get(FORM, headers={"host": "elsewhere.example"})),
    (500, lambda b: b.get(FORM)),
]


def failing(olgas, clinic, lock, monkeypatch, provoke):
    lock(olgas, clinic)
    olgas.raise_request_exception = False
    for shows in ("_blank", "_show"):
        monkeypatch.setattr(rate, shows, break_down)
    return provoke(olgas)


@every_way
@pytest.mark.parametrize(("status", "provoke"), ERRORS, ids=[str(status) for status, _ in ERRORS])
def test_an_error_page_tells_nothing(olgas, clinic, lock, monkeypatch, status, provoke):
    answer = failing(olgas, clinic, lock, monkeypatch, provoke)
    assert (answer.status_code, told(answer)) == (status, set())


def test_control_djangos_own_error_page_tells(olgas, clinic, monkeypatch, settings):
    settings.DEBUG = True
    answer = failing(olgas, clinic, hand_over, monkeypatch, ERRORS[-1][1])
    assert answer.status_code == 500
    assert {"label", "said", "comment"} <= told(answer)


# --- Nothing is kept -------------------------------------------------------------------------------


@every_way
def test_no_answer_may_be_kept_by_any_cache(olgas, clinic, lock):
    before = [olgas.get(clinic.course), olgas.get(WORK_LIST)]
    lock(olgas, clinic)
    for answer in (*before, olgas.get(FORM), olgas.get(DONE), olgas.get(WORK_LIST)):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Cookie" in answer.headers["Vary"]
