"""What is under way while a client is erased: writes, open pages, tablets, marks on a device."""

import json

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.refused import Gone
from clients import actions
from clients.lock import lock_episode
from sessions_app.courses.erased_grants import ErasedGrant
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.flags.conclude import conclude_many
from sessions_app.flags.models import Discussion
from sessions_app.intake import hand_over_actions, sealed_upload, session_actions
from sessions_app.records import erasure
from tests import cast
from tests.bench.sealed import parcel
from tests.sessions_app.intake.rate_form import marks
from tests.sessions_app.records.courses import full_course
from tests.sessions_app.records.erased import erase

pytestmark = pytest.mark.django_db


def test_a_write_that_comes_after_the_erasure_is_told_that_the_client_is_gone(clinic):
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    erase(clinic)
    writes = [
        lambda: lock_episode(clinic.olgas.pk),
        lambda: cast.rating(session),
        lambda: hand_over_actions.take_back(grant=grant, by=clinic.olga),
        lambda: hand_over_actions.decline(grant=grant),
        lambda: session_actions.add_session(episode=clinic.olgas, held_at=timezone.now(), by=clinic.olga),
        lambda: actions.close_episode(
            episode=clinic.olgas, closed_on=timezone.localdate(), ending="planned", by=clinic.olga
        ),
        lambda: actions.open_episode(
            client=clinic.olgas.client, therapist=clinic.carl, opened_on=timezone.localdate(), by=clinic.adam
        ),
    ]
    for write in writes:
        with pytest.raises(Gone):
            write()
    assert conclude_many(episodes=[clinic.olgas.pk, clinic.carls.pk]) == 0


def test_a_page_that_read_its_row_before_the_erasure_says_what_happened_or_is_not_there(
    clinic, sign_in, monkeypatch
):
    full_course(clinic.olgas)
    talk = Discussion.objects.select_related("session__episode__client").get()
    browser = sign_in(clinic.olga)
    rooms = ("sessions_app.intake.views.therapy_sessions", "sessions_app.dashboards.views.talks")
    for room, row in zip(rooms, (clinic.olgas, talk), strict=True):
        monkeypatch.setattr(f"{room}.own_or_404", lambda request, rows, code, row=row: row)
    erase(clinic)
    answer = browser.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    assert (answer.status_code, "it was erased" in answer.content.decode()) == (409, True)
    address = reverse("dashboard:put_back_discussion", args=[talk.code])
    assert browser.post(address, follow=True).status_code == 404


def test_a_page_that_catches_no_refusal_is_not_there(clinic, sign_in, monkeypatch):
    def gone(*_):
        raise Gone

    monkeypatch.setattr("sessions_app.dashboards.work_list.build", gone)
    assert sign_in(clinic.olga).get("/dashboard/").status_code == 404


def test_a_tablet_with_the_form_of_an_erased_client_asks_to_be_handed_back(clinic, sign_in):
    cast.therapy_session(clinic.olgas)
    tablet = sign_in(clinic.olga)
    tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    assert tablet.get("/rate/").status_code == 200
    erase(clinic)
    answer = tablet.get("/rate/", follow=True)
    assert "hand the tablet back" in answer.content.decode()
    answer = tablet.post("/rate/", {"step": "hand-in"}, follow=True)
    assert "hand the tablet back" in answer.content.decode()
    assert tablet.get("/dashboard/").url == "/rate/"  # still locked


def test_a_form_whose_client_is_erased_while_it_is_handed_in_says_so(clinic, sign_in, monkeypatch):
    """The session was read before the erasure changed it."""
    cast.therapy_session(clinic.olgas)
    tablet = sign_in(clinic.olga)
    tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    monkeypatch.setattr(erasure, "_clean_browser_sessions", lambda *_: None)
    erase(clinic)
    answer = tablet.post("/rate/", {"step": "hand-in"})
    assert answer.status_code == 410


def deliver(grant):
    sent = parcel(sealed_upload.token_for(grant), "mode=line&relationship=9")
    ours = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    return Browser().post("/rate/upload/", json.dumps(sent), content_type="application/json", headers=ours)


def test_marks_that_wait_on_a_device_are_forgotten_there_and_stored_nowhere(clinic):
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    erase(clinic)
    answer = deliver(grant)
    assert (answer.status_code, answer.json()["stored"], answer.json()["sha256"]) == (410, True, "erased")
    assert not Rating.objects.exists()
    ErasedGrant.objects.all().delete()
    assert deliver(grant).status_code == 401  # control: of a grant nobody knows, the device keeps it


def test_marks_that_come_in_while_the_client_is_erased_are_forgotten_on_the_device(clinic, monkeypatch):
    """The delivery has read its grant, and waits for the episode that goes."""
    cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=clinic.olgas.sessions.get(), by=clinic.olga)
    stale = RatingGrant.objects.select_related("session__episode__client").get(pk=grant.pk)
    erase(clinic)
    monkeypatch.setattr(sealed_upload, "grant_of", lambda token: stale)
    answer = deliver(grant)
    assert (answer.status_code, answer.json()["stored"], answer.json()["sha256"]) == (410, True, "erased")
    assert not Rating.objects.exists()


def test_a_tablet_that_hands_in_while_the_client_is_erased_is_told(clinic, sign_in, monkeypatch):
    cast.therapy_session(clinic.olgas)
    tablet = sign_in(clinic.olga)
    tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    stale = RatingGrant.objects.select_related("session__episode__client", "wording").get()
    monkeypatch.setattr(erasure, "_clean_browser_sessions", lambda *_: None)
    erase(clinic)
    monkeypatch.setattr("sessions_app.intake.views.rate.grant_of", lambda request, lock: stale)
    answer = tablet.post("/rate/", marks())
    assert (answer.status_code, answer.context["is_erased"]) == (410, True)
    assert not Rating.objects.exists()
