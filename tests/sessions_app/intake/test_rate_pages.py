"""What a tablet in the client's hands answers, in every state of its grant."""

import gzip
import re
from datetime import timedelta
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alliance import device_lock
from alliance.measurement import instruments
from alliance.models import AuditEvent, BrowserSession
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, Rating, SetAsideRating
from sessions_app.intake import grants, hand_over_actions
from sessions_app.intake.views.offline import static_files
from tests import cast
from tests.sessions_app.intake.rate_form import (
    DONE,
    FORM,
    HELP,
    NONE_STORED,
    NOT_TODAY,
    HiddenFields,
    key_of,
    marks,
    put_lock,
    stored,
)

pytestmark = pytest.mark.django_db

BUDGET, BUDGET_AGAIN = 60 * 1024, 5 * 1024
HASH_IN_A_NAME = 13  # bytes, and a hash cannot be pressed together


class TestTheStatesOfAGrant:
    def test_open_shows_the_four_lines(self, client, grant):
        response = client.get(FORM)
        assert response.status_code == 200
        for wording in instruments.get(instruments.SESSION_RATING).wordings["en"].items.values():
            for words in (wording.question, wording.low_end, wording.high_end):
                assert words in response.content.decode()

    def test_no_lock_is_nothing_here(self, client, db):
        for url in (FORM, NOT_TODAY, HELP):
            response = client.get(url)
            assert response.status_code == 404
            assert "There is nothing to fill in here" in response.content.decode()

    def test_whoever_handed_in_and_has_no_session_any_more_is_thanked_all_the_same(self, client, db):
        response = client.get(DONE)
        assert response.status_code == 404
        assert "There is nothing more to do here" in response.text

    def test_a_token_of_nobody_is_closed(self, client, db):
        put_lock(client, "no such token")
        assert client.get(FORM).status_code == 410

    @pytest.mark.parametrize("age", [grants.OPEN_FOR, timedelta(days=8)])
    def test_past_its_time_is_closed(self, client, grant, time_machine, age):
        time_machine.move_to(grant.made_at + age, tick=False)
        put_lock(client, grant.token)
        response = client.get(FORM)
        assert response.status_code == 410
        assert "can no longer be filled in" in response.content.decode()

    def test_taken_back_is_closed_and_marks_on_their_way_are_kept_aside(self, client, grant, clinic):
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        assert client.get(FORM).status_code == 410
        client.post(FORM, marks())
        assert SetAsideRating.objects.get().reason == SetAsideRating.Reason.WITHDRAWN
        assert client.get(FORM, follow=True).redirect_chain == [(DONE, 303)]

    def test_marks_that_come_after_the_last_day_are_kept_aside(self, client, grant, time_machine):
        time_machine.move_to(grant.accept_until, tick=False)
        put_lock(client, grant.token)
        client.post(FORM, marks())
        assert SetAsideRating.objects.get().reason == SetAsideRating.Reason.LATE

    def test_a_form_that_was_opened_in_time_is_accepted_after_it(self, client, grant, time_machine):
        time_machine.move_to(grant.open_until + timedelta(minutes=1), tick=False)
        assert client.post(FORM, marks()).headers["Location"] == DONE
        assert stored() == (1, 0)

    @pytest.mark.parametrize("step", ["review", "change", "none"])
    def test_ten_minutes_later_no_step_of_it_answers(self, client, grant, time_machine, step):
        """A form that was left open for hours is nobody's: whoever finds it fills in nothing."""
        time_machine.move_to(grant.finish_until, tick=False)
        put_lock(client, grant.token)
        for fields in ({"step": step}, {"step": step, "language": "de"}):
            response = client.post(FORM, marks(**fields))
            assert response.status_code == 410
            assert "can no longer be filled in" in response.text
        assert client.post(FORM, marks(goals="x")).status_code == 410
        assert stored() == NONE_STORED

    def test_and_what_is_handed_in_then_is_kept_aside(self, client, grant, time_machine):
        time_machine.move_to(grant.finish_until - timedelta(seconds=1), tick=False)
        put_lock(client, grant.token)
        assert client.post(FORM, marks(step="review")).status_code == 200
        time_machine.move_to(grant.finish_until, tick=False)
        assert client.post(FORM, marks()).headers["Location"] == DONE
        assert stored() == (0, 1)
        assert SetAsideRating.objects.get().reason == SetAsideRating.Reason.LATE
        assert "Thank you." in client.get(DONE).text

    def test_what_was_handed_in_before_is_the_rating_however_late_it_is_sent_again(
        self, client, grant, time_machine
    ):
        client.post(FORM, marks())
        time_machine.move_to(grant.finish_until, tick=False)
        put_lock(client, grant.token)
        assert client.post(FORM, marks()).headers["Location"] == DONE
        assert stored() == (1, 0)

    def test_handed_in_leads_to_done_from_everywhere(self, client, grant):
        client.post(FORM, marks())
        client.get(DONE)
        for method, url in ((client.get, FORM), (client.get, DONE), (client.post, FORM)):
            response = method(url, follow=True)
            assert response.status_code == 200
            assert "Thank you. Please hand the tablet back." in response.content.decode()

    def test_done_is_not_reached_before_the_marks_are(self, client, grant):
        assert client.get(DONE).headers["Location"] == FORM
        assert client.get(NOT_TODAY, follow=True).redirect_chain[-1][0] == FORM


class TestHandingIn:
    def test_stores_what_was_marked(self, client, grant):
        response = client.post(FORM, marks(comment="More about work.\r\nPlease.", share_comment="on"))
        assert (response.status_code, response.headers["Location"]) == (303, DONE)
        rating = Rating.objects.get()
        assert rating.answers == dict(zip(cast.ITEMS, (71, 82, 93, 100), strict=True))
        assert (rating.comment, rating.share_comment) == ("More about work.\nPlease.", True)
        assert (rating.mode, rating.language, rating.grant) == (Mode.LINE, "en", grant)

    def test_a_zero_is_a_mark_and_an_empty_mark_is_none(self, client, grant):
        client.post(FORM, marks(relationship="0", goals=""))
        answers = Rating.objects.get().answers
        assert (answers["relationship"], answers["goals"]) == (0, None)

    def test_preferring_not_to_answer_outweighs_a_mark(self, client, grant):
        client.post(FORM, marks(**{"goals-declined": "on"}))
        assert Rating.objects.get().answers["goals"] is None

    def test_sent_twice_it_is_the_same_rating(self, client, grant):
        assert [client.post(FORM, marks()).status_code for _ in range(2)] == [303, 303]
        assert stored() == (1, 0)

    def test_other_marks_are_kept_aside(self, client, grant):
        client.post(FORM, marks())
        assert client.post(FORM, marks(goals="10")).headers["Location"] == DONE
        assert stored() == (1, 1)

    def test_the_eleventh_different_copy_is_not_taken_and_says_so(self, client, grant):
        replies = [client.post(FORM, marks(goals=str(goals))) for goals in range(12)]
        assert [reply.status_code for reply in replies] == [*[303] * 11, 429]
        assert "can no longer be filled in" in replies[-1].text
        assert client.post(FORM, marks(goals="0")).status_code == 429  # no guess is told from what is stored
        assert stored() == (1, 10)

    def test_rotates_the_cookie_and_takes_the_grant_away(self, client, grant):
        before = key_of(client)
        client.post(FORM, marks(), follow=True)
        assert key_of(client) != before
        assert not BrowserSession.objects.filter(session_key=before).exists()
        assert client.session["device_lock"] == {
            "token": "",
            "return_to": "/",
            "rated": True,
            "language": "en",
        }

    def test_needs_the_csrf_token(self, grant, client):
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = client.cookies
        for url in (FORM, NOT_TODAY):
            assert strict.post(url, marks()).status_code == 403
        assert stored() == NONE_STORED
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', strict.get(FORM).content.decode())[1]
        assert strict.post(FORM, marks(csrfmiddlewaretoken=token)).status_code == 303
        assert stored() == (1, 0)

    def test_a_page_that_was_left_behind_learns_that_the_tablet_is_handed_in(self, client, grant):
        client.post(FORM, marks(), follow=True)
        assert client.post(FORM, marks(goals="3")).headers["Location"] == DONE
        assert stored() == (1, 0)


class TestWithoutJavaScript:
    def test_radios_review_change_and_hand_in(self, client, grant):
        chosen = {
            "step": "review",
            "mode": "number",
            "relationship": "70",
            "comment": "Thanks.",
            "goals": "0",
        }
        review = client.post(FORM, {**chosen, "approach-declined": "on"})
        page = review.content.decode()
        assert review.status_code == 200
        assert "You have not marked:" in page
        assert "You prefer not to answer" in page
        assert stored() == NONE_STORED
        hidden = HiddenFields.of(page)
        assert hidden["relationship"] == "70"
        assert hidden["overall"] == ""
        changed = client.post(FORM, {**hidden, "step": "change"}).content.decode()
        assert re.search(r'name="relationship" value="70"[^>]*checked', changed)
        assert re.search(r'name="approach-declined"[^>]*checked', changed)
        assert "Thanks.</textarea>" in changed
        client.post(FORM, {**hidden, "step": "hand-in"})
        rating = Rating.objects.get()
        assert rating.answers == {"relationship": 70, "goals": 0, "approach": None, "overall": None}
        assert (rating.mode, rating.comment) == (Mode.NUMBER, "Thanks.")

    def test_the_review_shows_no_number(self, client, grant):
        page = client.post(FORM, marks(step="review", relationship="73")).content.decode()
        words = re.sub(r"<[^>]*>", " ", page)
        assert not re.search(r"\d", words)
        assert "nearer to “Very well”" in words

    def test_an_error_is_listed_and_linked_and_the_rest_is_kept(self, client, grant):
        response = client.post(FORM, marks(step="review", goals="101", comment="Kept."))
        page = response.content.decode()
        assert response.status_code == 422
        assert 'href="#line-goals"' in page
        assert 'data-tenths="71"' in page
        assert "Kept.</textarea>" in page


class TestNotToday:
    def test_hands_the_tablet_back_and_stores_nothing(self, client, grant):
        before = key_of(client)
        page = client.post(NOT_TODAY, marks(), follow=True)
        assert page.redirect_chain == [(DONE, 303)]
        assert "You did not rate today" in page.content.decode()
        assert stored() == NONE_STORED
        assert key_of(client) != before

    def test_never_says_of_somebody_who_declined_that_marks_arrived(self, client, grant):
        client.post(NOT_TODAY, marks())
        for address in (FORM, DONE, NOT_TODAY):
            text = client.get(address, follow=True).content.decode()
            assert "You did not rate today" in text
            assert "has arrived" not in text

    def test_never_says_that_nothing_was_sent_where_marks_arrived_first(self, client, grant):
        client.post(FORM, marks())
        text = client.post(NOT_TODAY, follow=True).content.decode()
        assert "has arrived" in text
        assert stored() == (1, 0)

    def test_nobody_waits_for_it_and_the_session_can_be_handed_over_again(self, client, grant, clinic):
        client.post(NOT_TODAY)
        event = AuditEvent.objects.get(action="rating declined")
        assert (event.actor, event.entity_code) == (None, grant.code)
        assert not type(grant).objects.awaiting(timezone.now()).exists()
        assert hand_over_actions.hand_over(session=grant.session, by=clinic.olga)

    def test_said_twice_or_after_handing_in_it_changes_nothing(self, client, grant):
        client.post(FORM, marks())
        client.post(NOT_TODAY)
        client.post(NOT_TODAY)
        grant.refresh_from_db()
        assert grant.withdrawn_at is None
        assert stored() == (1, 0)


class TestWhatThePageHolds:
    def pages(self, client):
        yield client.get(FORM)
        yield client.get(HELP)
        yield client.post(FORM, marks(step="review"))
        yield client.post(FORM, marks(goals="x"))
        yield client.post(FORM, marks(), follow=True)

    def test_nothing_of_a_person_and_no_total(self, client, grant, clinic):
        for response in self.pages(client):
            page = response.content.decode()
            for word in (
                "K-1",
                "Olga",
                clinic.olga.email,
                str(clinic.olgas.code),
                str(grant.code),
                "345",
                "34.5",
            ):
                assert word not in page

    def test_the_token_is_nowhere(self, client, grant):
        for response in self.pages(client):
            assert grant.token not in response.content.decode() + str(response.headers)

    def test_no_link_leads_out_of_the_form(self, client, grant):
        shown = client.get(FORM).content.decode().partition('id="idle"')[0]
        links = set(re.findall(r'(?:href|action)="(/(?!static/)[^"]*|https?:[^"]*)"', shown))
        assert links <= {FORM, NOT_TODAY, *(f"{FORM}#line-{item}" for item in cast.ITEMS)}

    def test_no_cache_keeps_it(self, client, grant):
        for response in self.pages(client):
            assert response.headers["Cache-Control"] == "no-store"
            assert "Cookie" in response.headers["Vary"]

    def test_the_view_never_asks_who_the_user_is(self):
        source = Path("sessions_app/intake/views/rate.py").read_text()
        assert "request.user" not in source.partition('"""\n\nfrom')[2]

    def test_its_weight(self, client, grant):
        """Cold: the page, the worker and all that it keeps. Again: the page, its files come from the cache."""
        page = client.get(FORM)
        assert b"plotly" not in page.content.lower()
        files = set(re.findall(r'/static/([^"]+)', page.text))
        kept = {address.removeprefix("/static/") for address in static_files()}
        assert files <= kept
        sizes = [zipped(answer.content) for answer in (page, client.get(reverse("rate:worker")))]
        sizes += [zipped((Path("static") / name).read_bytes()) for name in kept]
        print(f"page {sizes[0]} bytes, with everything {sum(sizes)} bytes")
        assert sum(sizes) <= BUDGET

    @pytest.mark.parametrize("language", [tag for tag, _name in settings.LANGUAGES])
    def test_its_weight_over_the_line_when_it_is_opened_again(self, client, grant, language):
        RatingGrant.objects.update(language=language)
        sent = client.get(FORM, headers={"Accept-Encoding": "gzip, deflate, br;q=1.0, zstd"})
        assert sent.headers["Content-Encoding"] == "br"
        assert f'<html lang="{language}"'.encode() in brotli.decompress(sent.content)
        names = len(re.findall("/static/", brotli.decompress(sent.content).decode()))
        with_their_hashes = len(sent.content) + names * HASH_IN_A_NAME
        print(
            f"{language}: {len(sent.content)} bytes, {with_their_hashes} with the names of a clinic's files"
        )
        assert with_their_hashes < BUDGET_AGAIN

    @pytest.mark.parametrize(
        ("accepted", "way"), [("gzip", "gzip"), ("br, gzip", "br"), ("", None), ("zstd", None)]
    )
    def test_it_is_sent_as_the_browser_can_read_it(self, client, grant, accepted, way):
        sent = client.get(FORM, headers={"Accept-Encoding": accepted})
        assert sent.headers.get("Content-Encoding") == way
        assert "Accept-Encoding" in sent.headers["Vary"]
        read = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[way]
        assert read(sent.content).startswith(b"<!doctype html>")

    def test_every_module_of_it_is_asked_for_at_once(self, client, grant):
        page = client.get(FORM).text
        scripts = set(re.findall(r'<script type="module" src="/static/rate/([\w.]+)"', page))
        at_once = set(re.findall(r'<link rel="modulepreload" href="/static/rate/([\w.]+)"', page))
        assert "form.js" in scripts
        assert at_once == imported(scripts) - scripts


def imported(names):
    """Modules of the form, with all that they import."""
    found, open_ones = set(), set(names)
    while open_ones:
        found |= open_ones
        texts = [(Path("static/rate") / name).read_text() for name in open_ones]
        open_ones = {one for text in texts for one in re.findall(r'from "\./([\w.]+)"', text)} - found
    return found


def zipped(content):
    return len(gzip.compress(content))


def test_right_to_left_follows_the_language_of_the_wording(client, grant, monkeypatch):
    from dataclasses import replace

    ours = instruments.get(instruments.SESSION_RATING)
    arabic = replace(ours.wordings["en"], language="ar")
    translated = replace(ours, wordings={"ar": arabic, **ours.wordings})
    monkeypatch.setattr(instruments, "get", lambda *_: translated)
    type(grant).objects.update(language="ar")
    assert '<html lang="ar" dir="rtl">' in client.get(FORM).content.decode()


def test_a_language_without_a_wording_falls_back_and_says_so(client, grant):
    type(grant).objects.update(language="xx-YY")
    assert '<html lang="en" dir="ltr">' in client.get(FORM).content.decode()


@pytest.mark.parametrize(
    ("tenths", "words"), [(0, "all the way at “Very badly”"), (50, "exactly in the middle")]
)
def test_the_words_for_a_mark(grant, tenths, words):
    from django.http import QueryDict

    from sessions_app.intake.rate_forms import RatingForm

    form = RatingForm(QueryDict(f"relationship={tenths}&mode=line"), grant=grant)
    assert form.is_valid()
    assert form.lines[0].said == words


def test_the_lock_is_what_the_helper_of_these_tests_makes(rf, client, grant):
    """`put_lock` must not drift from `device_lock.lock`."""
    request = rf.get("/")
    request.session = client.session
    assert device_lock.lock_of(request) == device_lock.DeviceLock(token=grant.token, return_to="/")
