"""What a form promises: made of flags, the same as ever where nobody changed it, and kept with what was marked."""

from itertools import product

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation

from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import access_log
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.instruments import promise_actions, promise_words, promises
from sessions_app.instruments.promises import FLAGS, SHIPPED, Door, Promise, Promised
from sessions_app.intake import hand_over_actions, paper_entry
from tests import cast
from tests.opened import save

pytestmark = pytest.mark.django_db
CHANGE = reverse("settings:change_promise")
# What stood in the pages before a promise was data, word for word: who sees it, who reads the sentence, the box.
AS_EVER = {
    "en": (
        "Your therapist sees your marks, and so does the person who supervises your therapist. Nobody else does.",
        "Only your therapist reads your sentence, unless you allow the supervisor to read it too.",
        "My therapist's supervisor may read this sentence too",
    ),
    "de": (
        "Ihre Markierungen sieht Ihre Therapeutin oder Ihr Therapeut und wer sie oder ihn in Supervision begleitet. "
        "Sonst niemand.",
        "Ihren Satz liest nur Ihre Therapeutin oder Ihr Therapeut, es sei denn, Sie erlauben, dass ihn auch die "
        "Supervision liest.",
        "Auch die Supervision meiner Therapeutin oder meines Therapeuten darf diesen Satz lesen",
    ),
    "es": (
        "Sus marcas las ve su terapeuta, y también la persona que supervisa a su terapeuta. Nadie más.",
        "Su frase solo la lee su terapeuta, a menos que usted permita que también la lea la persona que supervisa.",
        "La persona que supervisa a mi terapeuta también puede leer esta frase",
    ),
    "fr": (
        "Votre thérapeute voit vos réponses, et la personne qui supervise votre thérapeute aussi. "
        "Personne d’autre ne les voit.",
        "Votre phrase n’est lue que par votre thérapeute, à moins que vous n’autorisiez aussi la personne qui "
        "supervise à la lire.",
        "La personne qui supervise cette thérapie peut aussi lire cette phrase",
    ),
    "ar": (
        "يرى علاماتك معالجك أو معالجتك ومن يشرف على عملهما. ولا يراها أحد غيرهم.",
        "أما جملتك فلا يقرؤها إلا معالجك أو معالجتك، إلا إذا سمحت بأن يقرأها أيضًا من يشرف على عملهما.",
        "يمكن لمن يشرف على معالجي أو معالجتي قراءة هذه الجملة أيضًا",
    ),
}


def in_language(tag, promised):
    with translation.override(tag):
        return promise_words.words(promised)


# --- The words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", AS_EVER)
def test_as_shipped_the_words_are_those_of_ever(tag):
    words = in_language(tag, SHIPPED["client"])
    assert (words.who, words.comment, words.may_share) == AS_EVER[tag]


@pytest.mark.parametrize("rater", SHIPPED)
@pytest.mark.parametrize("tag", AS_EVER)
def test_no_two_promises_of_one_rater_read_the_same(tag, rater):
    """So each flag is told, whatever the others are: words and flags cannot disagree."""
    said = set()
    every = [values for values in product([True, False], repeat=len(FLAGS)) if values[0] or not values[1]]
    for values in every:
        flags = {door.value: value for door, value in zip(FLAGS, values, strict=True)}
        words = in_language(tag, Promised(rater, **flags))
        said.add((words.who, words.comment, words.may_share))
    assert len(said) == len(every)


@pytest.mark.parametrize("tag", AS_EVER)
def test_a_caregiver_is_promised_what_is_true_for_a_caregiver(tag):
    client, caregiver = (in_language(tag, SHIPPED[rater]) for rater in ("client", "caregiver"))
    assert caregiver.who != client.who
    assert caregiver.again != client.again
    if tag == "en":
        assert "Your therapist" not in " ".join([caregiver.who, caregiver.comment, caregiver.again])
        assert "The person you answer about does not see them here." in caregiver.who


def test_the_own_sentence_is_read_in_the_nearest_language():
    promised = Promised("client", own=(("de", "Eigener Satz"), ("en", "Our own sentence")))
    assert in_language("de", promised).own.text == "Eigener Satz"
    assert in_language("ar", promised).own == promise_words.OwnSentence("en", "Our own sentence")
    assert in_language("de", SHIPPED["client"]).own is None


# --- Versions ------------------------------------------------------------------------------------


def test_a_change_is_a_new_version_and_reaches_no_mark_of_before(clinic):
    before = cast.rating(cast.therapy_session(clinic.olgas))
    first = cast.promise(clinic.adam, supervisor=False)
    between = cast.rating(cast.therapy_session(clinic.olgas))
    cast.promise(clinic.adam, supervisor=True)
    after = cast.rating(cast.therapy_session(clinic.olgas))
    kept = [promises.promised(Rating.objects.get(pk=one.pk)) for one in (before, between, after)]
    assert [(one.version, one.allows(Door.SUPERVISOR)) for one in kept] == [(0, True), (1, False), (2, True)]
    assert list(Rating.objects.through(Door.SUPERVISOR)) == [before, after]
    assert (first.version, promises.in_force("caregiver").version) == (1, 0)


def test_a_form_that_is_out_keeps_what_it_showed(clinic, client):
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    cast.promise(clinic.adam, supervisor=False)
    rating = cast.record_rating(grant=RatingGrant.every.get(pk=grant.pk), answers=cast.answers(), mode="line")
    assert rating.promise is None


def test_what_is_typed_from_paper_has_the_promise_of_its_day(clinic):
    old = cast.therapy_session(clinic.olgas, ago=cast.timedelta(days=3))
    cast.promise(clinic.adam, supervisor=False)
    new = cast.therapy_session(clinic.olgas)
    ratings = [
        paper_entry.enter_rating(session=one, answers=cast.answers(), channel="paper", by=clinic.olga)
        for one in (old, new)
    ]
    assert [one.promise_id is None for one in ratings] == [True, False]


def test_lines_that_were_added_keep_the_promise_of_the_lines_that_were_marked(clinic):
    cast.promise(clinic.adam, supervisor=False)
    session = cast.therapy_session(clinic.olgas)
    marked = cast.rating(session, goals=None)
    cast.promise(clinic.adam, supervisor=True)
    whole = paper_entry.enter_rating(
        session=session, answers={"goals": 90}, channel="verbal", seen=marked.code, by=clinic.olga
    )
    assert not promises.allows(whole, Door.SUPERVISOR)


@pytest.mark.usefixtures("as_owner")  # the site's role is refused before a trigger speaks
def test_versions_are_only_added_and_numbered_once(clinic):
    made = cast.promise(clinic.adam, research=True)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Promise.objects.filter(pk=made.pk).update(research=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Promise.objects.create(**{**flags_of(made), "rater": "client", "version": 1}, made_by=clinic.adam)
    of_words_alone = {**flags_of(made), "supervisor": False, "supervisor_comment": True}
    with pytest.raises(IntegrityError), transaction.atomic():
        Promise.objects.create(**of_words_alone, rater="client", version=2, made_by=clinic.adam)


def flags_of(made):
    return {door.value: getattr(made, door.value) for door in FLAGS}


def test_the_same_again_is_refused_and_writes_nothing(clinic):
    with pytest.raises(Refused, match="already"):
        promise_actions.change_promise(rater="client", by=clinic.adam, research=False)
    assert not Promise.objects.exists()


def test_the_log_says_that_it_changed(clinic):
    cast.promise(clinic.adam, rater="caregiver", family=True)
    (line,) = access_log.lines(AuditEvent.objects.filter(action="promise changed"))
    assert line.sentence.endswith(
        "saved version 1 of what forms promise to a caregiver about who sees the marks"
    )


def test_the_database_takes_a_number_once(clinic):
    made = cast.promise(clinic.adam, research=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Promise.objects.create(**{**flags_of(made), "rater": "client", "version": 1}, made_by=clinic.adam)


# --- The administrator's pages -------------------------------------------------------------------


@pytest.fixture
def browser(clinic, client):
    client.force_login(clinic.adam)
    client.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return client


TICKED = dict.fromkeys(("supervisor", "supervisor_comment", "export", "record"), "on")


def press(browser, step, **typed):
    return save(browser, CHANGE, **{**TICKED, "step": step, **typed})


def test_how_it_reads_is_shown_in_every_language_before_it_is_saved(browser):
    shown = press(browser, "preview", research="on", own_en="Ask us anything.")
    for said in (
        "They may be used for research, without your name.",
        "Sie dürfen ohne Ihren Namen für Forschung verwendet werden.",
        'lang="ar" dir="rtl"',
        "Ask us anything.",
        AS_EVER["en"][0],
    ):
        assert said in shown.text
    assert not Promise.objects.exists()


def test_it_is_saved_and_listed_as_a_version(browser):
    press(browser, "save", research="on")
    made = Promise.objects.get()
    assert (made.rater, made.version, made.research, made.supervisor) == ("client", 1, True, True)
    listed = browser.get(reverse("settings:promises")).text
    assert "They may be used for research, without your name." in listed
    assert "Version 1, saved by Adam" in listed


def test_words_without_marks_are_refused_with_a_sentence(browser):
    answer = press(browser, "preview", supervisor="")
    assert answer.status_code == 422
    assert "Whoever may not see the marks is not told" in answer.text


def test_a_sentence_with_a_script_in_it_is_text_and_an_unseen_sign_is_refused(browser):
    shown = press(browser, "preview", own_en="<script>alert(1)</script>")
    assert "<script>alert" not in shown.text
    assert "&lt;script&gt;alert" in shown.text
    assert press(browser, "preview", own_en="a\u202eb").status_code == 422


def test_of_a_kind_of_rater_that_does_not_exist_there_is_no_page(browser):
    assert browser.get(f"{CHANGE}?rater=neighbour").status_code == 404
    assert browser.get(f"{CHANGE}?rater=observer").status_code == 200
