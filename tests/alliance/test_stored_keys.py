"""Reading the database is not signing in: nothing that is stored opens anything when it is sent to the site."""

import json
import re
from urllib.parse import quote

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends import db
from django.core.cache import cache
from django.db import connection, models
from django.test import Client, override_settings
from django.urls import reverse

from alliance import session_keys
from alliance.models import BrowserSession
from alliance.refused import Refused
from alliance.session_keys import StoredKey, stored_key
from alliance.session_store import SessionStore
from clients import staff_actions
from sessions_app.intake import hand_over_actions, room_tablets, sealed_upload, sending_actions
from tests import cast
from tests.alliance.sign_in import sign_in
from tests.bench.sealed import parcel
from tests.sessions_app.intake.pairing import asks_to_be_paired, code_on, paired
from tests.sessions_app.intake.rate_form import marks, put_lock

pytestmark = pytest.mark.django_db
SESSIONS, KEYS = reverse("usersessions_list"), reverse("account_reset_password") + "key/"
OURS = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


def with_cookie(name, value):
    browser = Client()
    browser.cookies[name] = value
    return browser


# --- Every way in that a text opens, and whether this one does ------------------------------------


def as_a_session(text, clinic):
    browser = with_cookie(settings.SESSION_COOKIE_NAME, text)
    return 200 in (browser.get(SESSIONS).status_code, browser.get(reverse("rate:form")).status_code)


def as_the_key_of_a_room(text, clinic):
    return with_cookie(room_tablets.COOKIE, text).get(reverse("room:waiting")).status_code == 200


def as_a_link_on_a_phone(text, clinic):
    return Client().post(reverse("go:start"), {"token": text}).status_code == 303


def as_a_short_code(text, clinic):
    cache.clear()  # the limit is not what is looked at
    return Client().post(reverse("go:start"), {"code": text}).status_code == 303


def as_a_delivery(text, clinic):
    sent = json.dumps(parcel(text, marks()))
    answer = Client().post(reverse("rate:upload"), sent, content_type="application/json", headers=OURS)
    return answer.status_code == 201


def as_a_link_for_a_password(text, clinic):
    for person in (clinic.olga, clinic.carl):
        page = Client().get(f"{KEYS}{user_pk_to_url_str(person)}-{quote(text, safe='')}/", follow=True)
        if 'type="password"' in page.text:
            return True
    return False


def as_a_pairing_code(text, clinic):
    try:
        sending_actions.pair(pairing_code=text, name=f"Room {text}"[:40], by=clinic.adam)
    except Refused:
        return False
    return True


WAYS = {
    "session": as_a_session,
    "room": as_the_key_of_a_room,
    "link": as_a_link_on_a_phone,
    "short code": as_a_short_code,
    "delivery": as_a_delivery,
    "password": as_a_link_for_a_password,
    "pairing": as_a_pairing_code,
}


@pytest.fixture
def held(clinic):
    """{way: what a person or a browser holds that opens it}, each of them in use."""
    staff, tablet = Client(), Client()
    assert sign_in(staff, clinic.olga.email)
    staff.get(reverse("mfa_activate_totp"))
    _, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
    put_lock(tablet, token)
    room = paired(clinic)
    link = cast.link(cast.therapy_session(clinic.carls), by=clinic.carl)
    delivered, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.carls), by=clinic.carl)
    clinic.olga.refresh_from_db()
    path = staff_actions.invite(person=clinic.olga, by=clinic.adam)
    return {
        "session": staff.cookies[settings.SESSION_COOKIE_NAME].value,
        "room": room.cookies[room_tablets.COOKIE].value,
        "link": link.token,
        "short code": link.short_code,
        "delivery": sealed_upload.token_for(delivered),
        "password": re.search(r"/key/[0-9A-Za-z]+-(.+)/$", path)[1],
        "pairing": code_on(asks_to_be_paired()),
        "tablet": tablet.cookies[settings.SESSION_COOKIE_NAME].value,
        "token": token,
    }


def texts_in(value):
    if isinstance(value, dict):
        return {one for pair in value.items() for part in pair for one in texts_in(part)}
    if isinstance(value, list):
        return {one for part in value for one in texts_in(part)}
    if isinstance(value, bytes | memoryview):
        return {bytes(value).hex()}
    return {str(value)} if value not in (None, "") else set()


def everything_stored():
    """Every text, code and key in every column of every table, past the fields of the models."""
    tables = {one._meta.db_table for one in apps.get_models()} | {"cache"}
    tables -= {"auth_permission", "django_content_type"}  # names of our own code, and many
    found = set()
    with connection.cursor() as cursor:
        for table in tables & set(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            rows = [list(row) for row in cursor.fetchall()]
            found |= texts_in(rows)
    return {text for text in found if len(text) >= 6 and not re.fullmatch(r"[\d: .+-]+", text)}


def test_what_a_database_reader_finds_opens_nothing(clinic, held):
    stored = everything_stored()
    assert len(stored) > 50
    opened = {(way, text) for text in stored for way, opens in WAYS.items() if opens(text, clinic)}
    assert opened == set()


@pytest.mark.parametrize("way", WAYS)
def test_control_what_a_person_holds_opens_its_way(clinic, held, way):
    assert WAYS[way](held[way], clinic)


def test_nothing_that_a_person_or_browser_holds_is_stored(held):
    with connection.cursor() as cursor:
        cursor.execute('SELECT * FROM "cache"')
        cached = str(cursor.fetchall())
    stored = {*everything_stored(), cached}
    for way, secret in held.items():
        assert not [text for text in stored if secret in text], way


# --- Sessions ------------------------------------------------------------------------------------


def rows(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table._meta.db_table}")  # noqa: S608
        return str(cursor.fetchall())


def test_a_session_key_copied_from_the_database_signs_nobody_in(clinic, held):
    assert as_a_session(held["session"], clinic)
    stored = [str(row.session_key) for row in (*BrowserSession.objects.all(), *UserSession.objects.all())]
    assert len(stored) >= 3
    for key in stored:
        assert not as_a_session(key, clinic)
        assert SessionStore(key).load() == {}


@pytest.mark.parametrize("table", [BrowserSession, UserSession])
def test_neither_table_of_sessions_has_the_key_of_a_cookie(held, table):
    assert held["session"] not in rows(table)
    assert str(stored_key(held["session"])) in rows(table)


def test_control_without_the_field_the_key_is_there(clinic, monkeypatch):
    monkeypatch.setattr(session_keys.SessionKeyField, "get_prep_value", models.CharField.get_prep_value)
    monkeypatch.setattr("alliance.session_store.stored_key", str)
    browser = Client()
    browser.force_login(clinic.olga)
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert as_a_session(key, clinic)
    assert key in rows(BrowserSession)


def test_the_token_of_an_open_form_is_not_readable_in_its_session(held):
    data = SessionStore(held["tablet"])
    assert data["device_lock"]["token"] == held["token"]
    (stored,) = BrowserSession.objects.filter(session_key=held["tablet"])
    for readable in (stored.session_data, str(db.SessionStore().decode(stored.session_data))):
        assert held["token"] not in readable
        assert "device_lock" not in readable


def test_control_as_django_stores_it_the_token_is_readable(held):
    as_django = db.SessionStore().encode({"token": held["token"]})
    assert db.SessionStore().decode(as_django) == {"token": held["token"]}


def test_a_second_factor_that_is_being_set_up_is_sealed(held):
    secret = SessionStore(held["session"])["mfa.totp.secret"]  # as allauth calls it
    assert secret not in rows(BrowserSession)


def test_a_session_sealed_with_another_key_of_the_site_asks_to_sign_in_and_with_an_earlier_one_goes_on(
    clinic,
):
    browser = Client()
    browser.force_login(clinic.olga)
    with override_settings(SECRET_KEY="another" * 9, SECRET_KEY_FALLBACKS=[]):
        assert browser.get(SESSIONS).headers["Location"].startswith(reverse("account_login"))
    browser.force_login(clinic.olga)
    with override_settings(SECRET_KEY="another" * 9, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert browser.get(SESSIONS).status_code == 200


# --- The list of where one is signed in -----------------------------------------------------------


def test_the_list_of_sign_ins_knows_this_browser_and_ends_the_others(clinic):
    here, elsewhere = Client(), Client()
    assert sign_in(here, clinic.olga.email)
    assert sign_in(elsewhere, clinic.olga.email)
    assert here.get(SESSIONS).text.count("This browser") == 1
    here.post(SESSIONS)
    assert here.get(SESSIONS).status_code == 200
    assert elsewhere.get(SESSIONS).status_code == 302
    assert UserSession.objects.filter(user=clinic.olga).count() == 1


def test_a_new_password_keeps_one_row_for_this_browser(clinic):
    browser = Client()
    assert sign_in(browser, clinic.olga.email)
    UserSession.objects.purge_and_list(clinic.olga)
    (before,) = UserSession.objects.filter(user=clinic.olga)
    assert before.session_key == browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert before.session_key != "x" * 40


def test_a_text_is_no_stored_key_whatever_it_says():
    key = stored_key("a" * 32)
    assert len(key) == 40
    assert stored_key(key) is key
    assert stored_key(str(key)) != key, "the hash of the hash"
    assert isinstance(StoredKey(key), str)
    assert {key: 1}[key] == 1
