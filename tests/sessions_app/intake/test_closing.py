"""The closing moment: only thanks, or the client's own marks of today, once and on the clinic's devices only."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import reverse

from alliance.models import BrowserSession
from sessions_app.courses.models import Mode, Rating
from sessions_app.intake import hand_over_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app.intake.rate_form import DONE, FORM, HELP, NOT_TODAY, key_of, marks, put_lock

pytestmark = pytest.mark.django_db
MARKS = "These are your marks of today."
THANKS = "Thank you. Please hand the tablet back."


@pytest.fixture
def shown(clinic):
    cast.choose(clinic.adam, closing="marks")


def page_of(response):
    return response.content.decode()


def test_only_thanks_unless_the_clinic_chose_more(client, grant):
    page = page_of(client.post(FORM, marks(), follow=True))
    assert THANKS in page
    assert MARKS not in page


def test_the_four_lines_of_today_without_any_figure(client, grant, shown):
    earlier = cast.therapy_session(grant.session.episode)
    cast.rating(earlier, 111)
    page = page_of(client.post(FORM, marks(goals="", comment="We never talk about my brother."), follow=True))
    assert MARKS in page
    assert page.count("data-seen=") == 4
    assert 'x1="71.0%"' in page
    assert 'x1="93.0%"' in page
    assert page.count('data-state="unmarked" >') == 1
    for figure in ("7.1", "9.3", "26.4", "264", "11.1", "brother", "Total", "flag"):
        assert figure not in page


def test_whatever_is_asked_for_next_is_thanks(client, grant, shown):
    assert MARKS in page_of(client.post(FORM, marks(), follow=True))
    for address in (DONE, DONE, FORM, HELP, "/dashboard/"):
        page = page_of(client.get(address, follow=True))
        assert MARKS not in page
        assert "data-seen" not in page
    assert THANKS in page_of(client.get(DONE))


@pytest.mark.parametrize("address", [DONE, FORM, HELP, NOT_TODAY, "/dashboard/", "/accounts/login/"])
def test_whatever_is_asked_for_next_rotates_the_cookie_once_more(client, grant, shown, address):
    """Chromium keeps a page for Back while its cookie stays the same."""
    keys = [key_of(client)]
    for asked in (DONE, address, DONE):
        if len(keys) == 1:
            client.post(FORM, marks())
        client.get(asked)
        keys.append(key_of(client))
    assert keys[0] != keys[1] != keys[2] == keys[3]
    assert BrowserSession.objects.count() == 1


def test_the_session_never_holds_a_mark(client, grant, shown):
    client.post(FORM, marks(), follow=True)
    assert dict(client.session) == {
        "device_lock": {
            "token": "",
            "return_to": "/",
            "rated": True,
            "language": "en",
            "showing": True,
        }
    }
    client.get(DONE)
    assert client.session["device_lock"]["showing"] is False
    assert "71" not in json.dumps(dict(client.session))


def test_what_a_page_asks_for_on_its_own_does_not_end_it(client, grant, shown):
    client.post(FORM, marks(), follow=True)
    key = key_of(client)
    for address in (reverse("room:waiting"), HELP):
        client.get(address, headers={"Sec-Fetch-Mode": "cors"})
    assert key_of(client) == key
    assert client.session["device_lock"]["showing"]


def test_it_ends_by_itself_without_scripts_too(client, grant, shown):
    page = page_of(client.post(FORM, marks(), follow=True))
    assert f'<meta http-equiv="refresh" content="120; url={DONE}">' in page
    assert "http-equiv" not in page_of(client.get(DONE))


@pytest.mark.parametrize(
    ("language", "said"), [("de", "Ihre Markierungen von heute"), ("ar", "علاماتك اليوم")]
)
def test_it_speaks_the_clients_language(client, grant, shown, language, said):
    type(grant).objects.update(language=language)
    page = page_of(client.post(FORM, marks(), follow=True))
    assert said in page
    assert f'lang="{language}"' in page


def test_it_shows_the_wording_that_was_read(client, clinic, shown):
    cast.choose(clinic.adam, instrument="srs", closing="marks")
    cast.wording(clinic.adam)
    _, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
    put_lock(client, token)
    assert "Invented question about goals" in page_of(client.post(FORM, marks(), follow=True))


def test_never_on_the_clients_own_phone(client, clinic, shown):
    link = cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga)
    client.post(reverse("go:start"), {"token": link.token})
    page = page_of(client.post(FORM, marks(), follow=True))
    assert MARKS not in page
    assert "You can close this page" in page


def test_on_the_tablet_of_a_room_it_leads_to_thanks_and_from_there_to_waiting(client, grant, shown):
    session = client.session
    session["device_lock"] = {**session["device_lock"], "channel": "paired"}
    session.save()
    page = page_of(client.post(FORM, marks(), follow=True))
    assert MARKS in page
    assert "Hand the tablet back" not in page
    waiting = f'href="{reverse("room:home")}"'
    assert waiting not in page
    assert waiting in page_of(client.get(DONE))


def test_marks_that_were_kept_aside_are_not_shown_as_a_rating(client, grant, shown):
    enter_rating(
        session=grant.session, answers=cast.answers(), channel="paper", by=grant.session.episode.therapist
    )
    assert MARKS not in page_of(client.post(FORM, marks(), follow=True))


def test_whoever_declined_sees_none(client, grant, shown):
    page = page_of(client.post(NOT_TODAY, follow=True))
    assert "You did not rate today." in page


def test_the_setting_is_that_of_the_moment_of_arrival(client, grant, clinic, shown):
    cast.choose(clinic.adam, closing="thanks")
    assert MARKS not in page_of(client.post(FORM, marks(), follow=True))


THEIRS, ANOTHER = (UUID(int=number) for number in (1, 2))


@pytest.mark.parametrize(
    ("asked", "is_shown"),
    [
        (f"?now={THEIRS}", True),
        ("", False),
        ("?now", False),
        ("?now=None", False),
        (f"?now={ANOTHER}", False),
        (f"?later={THEIRS}", False),
    ],
)
@pytest.mark.parametrize("delivery", [THEIRS, None])
def test_marks_that_came_by_script_are_shown_to_the_page_that_brought_them(
    client, grant, shown, asked, is_shown, delivery
):
    """Marks that waited for a connection arrive when somebody else may hold the tablet, and type an address."""
    record_rating(grant=grant, answers=cast.answers(380), mode=Mode.LINE, delivery=delivery)
    page = page_of(client.get(DONE + asked))
    assert (MARKS in page) == (is_shown and delivery is not None)
    assert MARKS in page or THANKS in page
    assert MARKS not in page_of(client.get(DONE + asked))


@pytest.mark.parametrize(("seconds", "is_shown"), [(119, True), (120, False)])
@pytest.mark.parametrize("by_script", [True, False])
def test_not_to_whoever_opens_the_address_later(
    client, grant, shown, time_machine, by_script, seconds, is_shown
):
    """The answer was lost on the way, or the server was in trouble, and the tablet went on to somebody else."""
    if by_script:
        record_rating(grant=grant, answers=cast.answers(380), mode=Mode.LINE, delivery=THEIRS)
    else:
        client.post(FORM, marks())
    received_at = Rating.objects.get().received_at
    time_machine.move_to(received_at + timedelta(seconds=seconds), tick=False)
    page = page_of(client.get(DONE, {"now": str(THEIRS)} if by_script else {}))
    assert (MARKS in page, THANKS in page) == (is_shown, not is_shown)
