"""The client's form in five languages: which one is spoken where, and how it is changed and remembered."""

import json
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alliance.measurement import instruments
from alliance.models import AuditEvent
from clients.models import Client as ClientOfTheClinic
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, Rating
from sessions_app.intake import hand_over_actions, sealed_upload, session_actions
from tests import cast
from tests.bench.sealed import parcel
from tests.sessions_app.intake.rate_form import (
    DONE,
    FORM,
    HELP,
    NOT_TODAY,
    HiddenFields,
    marks,
    put_lock,
)
from tests.sessions_app.intake.test_upload import OURS

pytestmark = pytest.mark.django_db
LANGUAGES = [tag for tag, _name in settings.LANGUAGES]
GERMAN = {"Accept-Language": "de"}
EACH = pytest.mark.parametrize("language", LANGUAGES)
WORDINGS = instruments.get(instruments.SESSION_RATING).wordings


def page_of(response):
    return response.content.decode()


def spoken(response):
    """Language and direction of a page."""
    return re.search(r'<html lang="([\w-]*)" dir="(\w*)">', page_of(response)).groups()


def as_spoken(language):
    return language, "rtl" if language == "ar" else "ltr"


def speak(client, language, **fields):
    fields.pop("step", None)
    return client.post(FORM, {"language": language, "mode": "number", **fields})


class TestEveryPageOfTheClientSpeaksTheirLanguage:
    @EACH
    def test_before_and_after_handing_in_whatever_the_browser_speaks(self, client, grant, language):
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "pt, en;q=0.5"
        RatingGrant.objects.update(language=language)
        shown = client.get(FORM)
        assert WORDINGS[language].items["goals"].question in page_of(shown)
        pages = [
            shown,
            client.get(HELP),
            client.post(FORM, marks(step="review", goals="")),
            client.post(FORM, marks(goals="x")),
            client.post(FORM, marks(), follow=True),
            client.get(FORM, follow=True),
            client.get(HELP),
        ]
        assert [spoken(page) for page in pages] == [as_spoken(language)] * len(pages)
        assert Rating.objects.get().language == language

    @EACH
    def test_closed_and_not_today_too(self, client, grant, language):
        RatingGrant.objects.update(language=language)
        assert spoken(client.post(NOT_TODAY, follow=True)) == as_spoken(language)
        assert spoken(client.get(NOT_TODAY, follow=True)) == as_spoken(language)
        put_lock(client, grant.token)
        response = client.get(FORM)
        assert (response.status_code, spoken(response)) == (410, as_spoken(language))

    @EACH
    def test_where_nothing_is_known_the_browser_is_asked(self, client, db, language):
        response = client.get(FORM, headers={"Accept-Language": f"{language}-XX, en;q=0.1"})
        assert (response.status_code, spoken(response)) == (404, as_spoken(language))

    def test_no_english_is_left_on_a_german_page(self, client, grant):
        RatingGrant.objects.update(language="de")
        for response in (client.get(FORM), client.post(FORM, marks(step="review", goals=""))):
            words = re.sub(r"<script.*?</script>|<[^>]*>", " ", page_of(response), flags=re.S)
            assert not re.search(r"\b(the|you|your|please|hand in|line|number|not)\b", words, re.I)

    def test_arabic_shows_its_own_digits_and_sends_ours(self, client, grant):
        RatingGrant.objects.update(language="ar")
        page = page_of(client.get(FORM))
        assert "<span>١٠<span" in page
        assert "١ من ٤" in page
        assert 'value="100"' in page
        client.post(FORM, marks(goals="٥٠"))
        assert not Rating.objects.exists()


class TestChoosingAnother:
    def test_every_language_is_offered_in_its_own_name(self, client, grant):
        page = page_of(client.get(FORM))
        offered = re.findall(
            r'<button type="submit" name="language" value="(\w+)" lang="(\w+)"\s+([^>]*)>([^<]+)', page
        )
        assert [(tag, name) for tag, _, _, name in offered] == [
            ("en", "English"),
            ("es", "Español"),
            ("de", "Deutsch"),
            ("fr", "Français"),
            ("ar", "العربيّة"),
        ]
        assert all(tag == lang for tag, lang, _, _ in offered)
        assert [tag for tag, _, more, _ in offered if "aria-current" in more] == ["en"]

    def test_marks_and_words_come_along(self, client, grant):
        sent = marks(relationship="70", goals="40", comment="Kept.", share_comment="on")
        page = page_of(speak(client, "ar", **{**sent, "goals-tenths": "9", "approach-declined": "on"}))
        assert '<html lang="ar" dir="rtl">' in page
        assert re.search(r'name="relationship" value="70"[^>]*checked', page)
        assert re.search(r'name="goals" value="40"[^>]*checked', page)
        assert re.search(r'name="goals-tenths".*?<option value="9" selected', page, re.S)
        assert re.search(r'name="approach-declined"[^>]*checked', page)
        assert "Kept.</textarea>" in page
        assert re.search(r'name="share_comment"[^>]*checked', page)
        assert not Rating.objects.exists()

    def test_it_is_the_clients_language_from_then_on(self, client, grant, clinic):
        speak(client, "fr")
        client.post(FORM, marks(), follow=True)
        rating = Rating.objects.get()
        assert (rating.language, rating.grant.language) == ("fr", "fr")
        assert ClientOfTheClinic.objects.get(episodes=clinic.olgas).language == "fr"
        episode = Episode.objects.get(pk=clinic.olgas.pk)
        session = session_actions.add_session(episode=episode, held_at=timezone.now(), by=clinic.olga)
        following, token = hand_over_actions.hand_over(session=session, by=clinic.olga)
        put_lock(client, token)
        assert following.language == "fr"
        assert spoken(client.get(FORM)) == ("fr", "ltr")

    def test_it_is_in_the_access_log_as_the_clients_doing(self, client, grant, clinic, sign_in):
        speak(client, "de")
        event = AuditEvent.objects.get(action="language chosen")
        assert (event.actor, event.client, event.detail) == (
            None,
            clinic.olgas.client_code,
            {"language": "de"},
        )
        log = page_of(sign_in(clinic.adam).get(reverse("clinic:log")))
        assert "Client K-1 chose another language for the form" in log

    def test_the_same_language_again_writes_nothing(self, client, grant):
        assert spoken(speak(client, "en")) == ("en", "ltr")
        assert not AuditEvent.objects.filter(action="language chosen").exists()

    @pytest.mark.parametrize("language", ["", "pt", "EN", "de-DE", "../de", "de\x00"])
    def test_one_that_is_not_offered_is_refused(self, client, grant, language):
        assert speak(client, language, **marks()).status_code == 422
        grant.refresh_from_db()
        assert grant.language == "en"

    def test_it_can_be_changed_after_the_form_could_last_be_opened(self, client, grant, time_machine):
        time_machine.move_to(grant.open_until + timedelta(minutes=1), tick=False)
        assert speak(client, "de").status_code == 200

    def test_but_not_for_hours(self, client, grant, time_machine):
        time_machine.move_to(grant.finish_until, tick=False)
        put_lock(client, grant.token)
        assert speak(client, "de").status_code == 410
        assert not hand_over_actions.choose_language(grant=grant, language="de")
        assert not AuditEvent.objects.filter(action="language chosen").exists()

    def test_there_and_back_without_end_ends(self, client, grant):
        """Each change is a line of the log that nobody can delete. Five languages twice are ten."""
        assert [speak(client, language, **marks()).status_code for language in LANGUAGES * 2] == [200] * 10
        answers = [speak(client, LANGUAGES[number % 2], **marks()).status_code for number in range(30)]
        assert 429 in answers
        assert AuditEvent.objects.filter(action="language chosen").count() == 20
        refused = speak(client, "fr", **marks(comment="Kept."))
        assert "The language cannot be changed just now. Your marks are still here." in refused.text
        assert "Kept.</textarea>" in refused.text
        assert client.post(FORM, marks()).status_code == 303

    def test_a_grant_that_was_taken_back_changes_nothing(self, client, grant, clinic):
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        assert speak(client, "de").status_code == 410
        assert ClientOfTheClinic.objects.get(episodes=clinic.olgas).language == "en"

    def test_nor_does_one_that_was_used(self, client, grant, clinic):
        client.post(FORM, marks())
        assert speak(client, "de").headers["Location"] == DONE
        client.get(DONE)
        assert speak(client, "de").headers["Location"] == DONE
        assert ClientOfTheClinic.objects.get(episodes=clinic.olgas).language == "en"

    def test_the_enter_key_presses_no_language(self, client, grant):
        first = re.search(
            r'<form id="rating".*?<button type="submit" ([^>]*)>', page_of(client.get(FORM)), re.S
        )
        assert 'name="step" value="review"' in first[1]


class TestTheLanguageThatWasRead:
    """The answer to a change was lost on the way: the grant says German, and the page is still English."""

    @pytest.fixture
    def changed(self, grant):
        hand_over_actions.choose_language(grant=grant, language="de")
        return grant

    def deliver(self, grant, fields):
        sent = json.dumps(parcel(sealed_upload.token_for(grant), fields))
        return Client().post(reverse("rate:upload"), sent, "application/json", headers=OURS)

    @pytest.mark.parametrize("step", ["form", "review"])
    def test_each_page_says_in_which_it_is_written(self, client, changed, step):
        page = client.get(FORM) if step == "form" else client.post(FORM, marks(step="review", read_in="en"))
        assert spoken(page) == ("de", "ltr")
        assert HiddenFields.of(page_of(page))["read_in"] == "de"

    @pytest.mark.parametrize(("read_in", "stored"), [("en", "en"), ("de", "de"), ("ar", "ar")])
    def test_is_stored(self, client, changed, read_in, stored):
        client.post(FORM, marks(read_in=read_in))
        assert Rating.objects.get().language == stored

    @pytest.mark.parametrize("more", [{}, {"read_in": ""}, {"read_in": "pt"}, {"read_in": "\x00"}])
    def test_is_that_of_the_grant_where_the_page_says_none_that_is_offered(self, changed, more):
        assert self.deliver(changed, marks(**more)).status_code == 201
        assert Rating.objects.get().language == "de"

    def test_comes_under_the_seal_too_and_makes_no_other_rating_of_the_same_marks(self, changed):
        answers = [self.deliver(changed, marks(read_in=tag)).status_code for tag in ("en", "de")]
        assert answers == [201, 200]
        assert Rating.objects.get().language == "en"

    def test_the_wording_is_the_one_in_it(self, client, clinic):
        cast.choose(clinic.adam, instrument="srs")
        english, german = (cast.wording(clinic.adam, language=tag) for tag in ("en", "de"))
        grant, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        hand_over_actions.choose_language(grant=grant, language="de")
        assert grant.wording == german
        put_lock(client, token)
        client.post(FORM, marks(read_in="en"))
        rating = Rating.objects.get()
        assert (rating.language, rating.wording) == ("en", english)


class TestEveryTenthByNumber:
    @pytest.mark.parametrize("first", range(0, 101, 4))
    def test_a_number_and_the_tenths_beyond_it(self, client, grant, first):
        """From 0.0 to 10.0, one on each line of the form."""
        tenths = dict(zip(cast.ITEMS, range(first, min(first + 4, 101)), strict=False))
        sent = {line: str(mark - mark % 10) for line, mark in tenths.items()}
        sent |= {f"{line}-tenths": str(mark % 10) for line, mark in tenths.items()}
        client.post(FORM, marks(mode="number", **sent))
        rating = Rating.objects.get()
        assert ({line: rating.answers[line] for line in tenths}, rating.mode) == (tenths, Mode.NUMBER)

    @pytest.mark.parametrize(
        ("number", "over", "sentence"),
        [
            ("", "3", "Please choose a number too."),
            ("100", "1", "This is more than the highest number."),
            ("73", "1", "Please mark this line again."),
            ("50", "10", "Please mark this line again."),
            ("50", "-1", "Please mark this line again."),
            ("50", "٣", "Please mark this line again."),
            ("50", ["1", "2"], "Please mark this line again."),
        ],
    )
    def test_what_makes_no_sense_is_refused_and_never_guessed(self, client, grant, number, over, sentence):
        sent = marks(mode="number", goals=number, **{"goals-tenths": over})
        response = client.post(FORM, sent)
        assert response.status_code == 422
        assert sentence in response.text
        assert not Rating.objects.exists()

    def test_a_line_left_out_needs_no_number(self, client, grant):
        client.post(FORM, marks(goals="", **{"goals-tenths": "3", "goals-declined": "on"}))
        assert Rating.objects.get().answers["goals"] is None

    def test_the_review_passes_the_whole_mark_on(self, client, grant):
        review = client.post(FORM, marks(step="review", goals="40", **{"goals-tenths": "9"}))
        hidden = HiddenFields.of(page_of(review))
        assert hidden["goals"] == "49"
        assert "goals-tenths" not in hidden


class TestPagesOfStaffStayEnglish:
    def test_signing_in(self, client, db):
        for name in ("account_login", "account_reset_password"):
            response = client.get(reverse(name), headers=GERMAN)
            assert spoken(response) == ("en", "ltr")
            assert "Passwort" not in page_of(response)

    def test_the_rest_and_what_forms_say(self, clinic, sign_in):
        client = sign_in(clinic.olga)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
        assert spoken(client.get("/dashboard/", headers=GERMAN)) == ("en", "ltr")
        refused = client.post(reverse("clients:register"), {}, headers=GERMAN)
        assert "This field is required." in page_of(refused)
        assert all(f">{name}<" in page_of(refused) for _tag, name in settings.LANGUAGES)

    def test_also_right_after_a_client_spoke_arabic(self, client, grant, clinic, sign_in):
        speak(client, "ar")
        assert spoken(client.get(reverse("account_login"))) == ("en", "ltr")

    def test_a_comment_says_which_language_it_is_in(self, client, grant, clinic, sign_in):
        RatingGrant.objects.update(language="ar")
        client.post(FORM, marks(comment="شكرًا"))
        page = page_of(sign_in(clinic.olga).get(reverse("dashboard:client", args=[clinic.olgas.code])))
        assert '<bdi lang="ar">شكرًا</bdi>' in page
