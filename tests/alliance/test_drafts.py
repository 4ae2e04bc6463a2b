"""The keys of half-written notes, and how the browser hears that one was saved."""

from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse

from alliance import drafts
from alliance.models import User
from sessions_app.flags import discussion_actions
from sessions_app.intake import hand_over_actions
from tests import cast

pytestmark = pytest.mark.django_db
KEYS = reverse("draft_keys")


def keys_of(browser):
    answer = browser.get(KEYS)
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()["keys"]


class TestKeys:
    def test_a_person_gets_the_same_ones_again_and_nobody_elses(self, clinic, sign_in):
        of_olga = keys_of(sign_in(clinic.olga))
        assert keys_of(sign_in(clinic.olga)) == of_olga
        assert not set(keys_of(sign_in(clinic.carl))) & set(of_olga)

    def test_another_salt_ends_them(self, clinic, sign_in):
        before = keys_of(sign_in(clinic.olga))
        User.objects.filter(pk=clinic.olga.pk).update(draft_salt="0" * 32)
        assert keys_of(sign_in(clinic.olga)) != before

    def test_nobody_has_the_salt_of_somebody_else(self, clinic):
        assert User.objects.values("draft_salt").distinct().count() == User.objects.count()

    def test_those_of_an_older_key_of_the_site_are_given_too(self, clinic, settings):
        (before,) = drafts.keys_of(clinic.olga)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-" + "1" * 50
        now, earlier = drafts.keys_of(clinic.olga)
        assert (earlier == before, now == before) == (True, False)

    def test_they_seal_nothing_else(self, clinic, settings):
        """No secret of the site can be drawn from what a browser is given."""
        assert settings.SECRET_KEY.encode() not in drafts.keys_of(clinic.olga)[0]
        assert len(drafts.keys_of(clinic.olga)[0]) == 64

    def test_not_for_a_browser_that_nobody_is_signed_in_on(self, clinic):
        assert Browser().get(KEYS).status_code == 302

    def test_nor_before_the_second_factor(self, clinic, sign_in, settings):
        settings.SECOND_FACTOR_REQUIRED = True
        assert sign_in(clinic.olga).get(KEYS).status_code == 303

    def test_nor_for_a_tablet_in_a_clients_hands(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        session = cast.therapy_session(clinic.olgas)
        address = reverse("dashboard:hand_over", args=[clinic.olgas.code])
        browser.post(f"{address}?session={session.code}")
        assert "device_lock" in browser.session
        answer = browser.get(KEYS)
        assert (answer.status_code, answer.headers["Location"]) == (303, reverse("rate:form"))

    def test_nor_for_one_with_a_link(self, clinic):
        hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        assert Browser().get(KEYS).status_code == 302


class TestSaved:
    @pytest.fixture
    def note(self, clinic):
        *_, low = cast.rated_course(clinic.olgas, [380, 330])
        return discussion_actions.discuss(flags=low.flags.all(), said="x", agreed="", by=clinic.olga)

    @pytest.fixture
    def edit(self, clinic, note, sign_in):
        def posted(browser=None, **changes):
            words = {"said": "y", "agreed": "", "why": "z", "version": "1", "draft": str(uuid4()), **changes}
            address = reverse("dashboard:edit_discussion", args=[note.code])
            answer = (browser or sign_in(clinic.olga)).post(address, words)
            return answer, words["draft"]

        return posted

    def test_is_told_by_a_cookie_that_says_which(self, edit):
        answer, draft = edit()
        assert answer.status_code == 302
        cookie = answer.cookies["saved_draft"]
        assert (cookie.value, cookie["httponly"], cookie["samesite"]) == (draft, "", "Strict")

    def test_a_form_with_errors_keeps_its_draft(self, edit):
        answer, _ = edit(why="")
        assert answer.status_code == 422
        assert "saved_draft" not in answer.cookies

    def test_so_does_one_that_leads_to_the_sign_in_page(self, edit):
        answer, _ = edit(Browser())
        assert answer.status_code == 302
        assert "saved_draft" not in answer.cookies

    def test_nothing_that_is_no_name_of_a_draft_comes_back(self, edit):
        answer, _ = edit(draft="x; Domain=elsewhere.example")
        assert "saved_draft" not in answer.cookies
        answer, _ = edit(draft="", said="other", version="2")
        assert "saved_draft" not in answer.cookies

    def test_a_piece_for_htmx_tells_it_too(self, clinic, sign_in):
        low = cast.therapy_session(clinic.olgas)
        cast.rating(low, 200)
        draft = str(uuid4())
        words = {f"talk-{low.code}-said": "x", "flag": [str(flag.code) for flag in low.flags.all()]}
        address = reverse("dashboard:discuss", args=[low.code])
        htmx = {"HX-Request": "true"}
        browser = sign_in(clinic.olga)
        missing = browser.post(address, {"flag": words["flag"], "draft": draft}, headers=htmx)
        assert (missing.status_code, "saved_draft" in missing.cookies) == (422, False)
        answer = browser.post(address, {**words, "draft": draft}, headers=htmx)
        assert (answer.status_code, answer.cookies["saved_draft"].value) == (200, draft)
