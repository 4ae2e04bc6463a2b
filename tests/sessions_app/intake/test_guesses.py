"""A therapist guesses what the client will mark: before it comes, once, and for this therapist alone."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from alliance.models import AuditEvent, User
from alliance.refused import Refused
from clients import access_log, cover_actions
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.models import Mode
from sessions_app.intake import guess_actions, hand_over_actions
from sessions_app.intake.record_rating import NotStored, record_rating
from sessions_app.questionnaires import guess_pairs
from sessions_app.questionnaires.guesses import Guess
from sessions_app.records import client_record, erasure_actions
from tests import cast
from tests.alliance.sign_in import just_asked
from tests.sessions_app.every_page import opened_by

pytestmark = pytest.mark.django_db
CANARY = "17.3"
LIST = reverse("dashboard:guesses")


@pytest.fixture
def guessing(clinic):
    return guess_actions.choose_guessing(on=True, by=clinic.olga)


def guess(session, by, total=350):
    return guess_actions.guess(session=session, answers=cast.answers(total), by=by)


def page_of(episode):
    return reverse("dashboard:guess", args=[episode.code])


def typed(browser, session, **lines):
    page = f"{page_of(session.episode)}?session={session.code}"
    form = browser.get(page).context["form"]
    return browser.post(
        page_of(session.episode),
        {"session": session.code, "form_key": form["form_key"].value(), **lines},
        follow=True,
    )


LINES = dict(zip(cast.ITEMS, ("8.5", "9", "9,1", "7.3"), strict=True))


# --- Making one ----------------------------------------------------------------------------------


def test_guessing_is_off_until_it_is_switched_on(clinic, session, sign_in):
    browser = sign_in(clinic.olga)
    hand_over = reverse("dashboard:hand_over", args=[session.episode.code])
    assert "Guess first" not in browser.get(hand_over).text
    with pytest.raises(Refused, match="not switched guessing on"):
        guess(session, clinic.olga)
    assert browser.get(page_of(session.episode)).url == LIST
    for _ in range(2):
        browser.post(reverse("dashboard:choose_guessing"), {"guess": "on"})
    assert User.objects.get(pk=clinic.olga.pk).guesses_first
    assert AuditEvent.objects.filter(action="guessing chosen").count() == 1
    assert "Guess first" in browser.get(hand_over).text
    browser.post(reverse("dashboard:choose_guessing"))
    assert not User.objects.get(pk=clinic.olga.pk).guesses_first


def test_four_lines_are_guessed_and_the_hand_over_comes_next(clinic, guessing, session, sign_in):
    answer = typed(sign_in(clinic.olga), session, **LINES)
    assert "What will the client mark?" not in answer.text
    assert "Your guess at session 1 is kept. Only you see it." in answer.text
    assert "Hand over the form to K-1?" in answer.text
    made = Guess.objects.get()
    assert (made.session, made.therapist, made.total) == (session, clinic.olga, 339)
    assert made.marks == dict(zip(cast.ITEMS, (85, 90, 91, 73), strict=True))


def test_after_the_guess_the_button_that_asks_for_it_is_gone(clinic, guessing, session, sign_in):
    hand_over = reverse("dashboard:hand_over", args=[session.episode.code])
    browser = sign_in(clinic.olga)
    assert "Guess first" in browser.get(hand_over).text
    guess(session, clinic.olga)
    page = browser.get(hand_over).text
    assert ("Guess first" in page, f"You have guessed session {session.number}" in page) == (False, True)
    cast.therapy_session(session.episode, ago=timedelta(minutes=1))  # the next one is still to be guessed
    assert "Guess first" in browser.get(hand_over).text


def test_without_a_session_today_it_adds_the_one_that_is_now(clinic, guessing, sign_in):
    browser = sign_in(clinic.olga)
    assert page_of(clinic.olgas) in browser.get(reverse("dashboard:hand_over", args=[clinic.olgas.code])).text
    form = browser.get(page_of(clinic.olgas)).context["form"]
    sent = {"session": "new", "seen": "", "form_key": form["form_key"].value(), **LINES}
    for _ in range(2):
        assert browser.post(page_of(clinic.olgas), sent).status_code == 302
    assert (clinic.olgas.sessions.count(), Guess.objects.count()) == (1, 1)


def test_once_the_marks_have_come_there_is_nothing_to_guess(clinic, guessing, session):
    cast.rating(session, 380)
    with pytest.raises(Refused, match="marks are there already"):
        guess(session, clinic.olga)


def test_marks_that_were_set_aside_or_partly_made_came_too(clinic, guessing, session):
    partly = cast.therapy_session(clinic.olgas)
    cast.rating(partly, None, goals=80)
    taken_back = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=taken_back, by=clinic.olga)
    hand_over_actions.take_back(grant=grant, by=clinic.olga)
    with pytest.raises(NotStored):
        record_rating(grant=grant, answers=cast.answers(), mode=Mode.LINE)
    for one in (partly, taken_back):
        with pytest.raises(Refused, match="marks are there already"):
            guess(one, clinic.olga)
    # A form that came back empty told nobody anything.
    empty = cast.therapy_session(clinic.olgas)
    cast.rating(empty, None)
    assert guess(empty, clinic.olga)


@pytest.mark.usefixtures("as_owner")  # the site's role is refused before a trigger speaks
def test_a_guess_is_made_once_and_the_same_again_is_nothing(clinic, guessing, session):
    first = guess(session, clinic.olga, 350)
    assert guess(session, clinic.olga, 350) == first
    with pytest.raises(Refused, match="A guess is not changed"):
        guess(session, clinic.olga, 360)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Guess.objects.update(total=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Guess.objects.create(
            session=cast.therapy_session(clinic.olgas),
            therapist=clinic.olga,
            instrument="session-rating",
            instrument_version="1",
            answers={"goals": 101},
        )


def test_who_covers_guesses_for_themselves(clinic, guessing, session):
    guess(session, clinic.olga)
    carl = guess_actions.choose_guessing(on=True, by=clinic.carl)
    guess(session, carl, 300)
    assert [one.therapist for one in Guess.objects.order_by("pk")] == [clinic.olga, clinic.carl]
    assert guess_pairs.read(carl).pairs == []  # he covers no more, so he reads the course no more


def test_what_was_not_held_or_is_over_is_refused(clinic, guessing, session):
    session.attendance = "did_not_attend"
    session.save()
    with pytest.raises(Refused, match="did not take place"):
        guess(session, clinic.olga)
    closed = cast.episode(clinic.olga, "K-5", closed_on=cast.STARTED, ending="planned")
    with pytest.raises(Refused, match="closed"):
        guess(cast.therapy_session(closed), clinic.olga)


def test_what_is_no_mark_is_refused_and_stays_typed(clinic, guessing, session, sign_in):
    answer = typed(sign_in(clinic.olga), session, **{**LINES, "goals": "11"})
    assert answer.status_code == 422
    assert "Please give a number from 0 to 10." in answer.text
    assert 'value="8.5"' in answer.text
    assert typed(sign_in(clinic.olga), session).status_code == 422
    assert not Guess.objects.exists()


def test_the_log_does_not_tell_what_was_guessed(clinic, guessing, session):
    guess(session, clinic.olga)
    (line,) = access_log.lines(AuditEvent.objects.filter(action="guess made"))
    assert line.sentence == "Olga noted something for themselves before a rating of client K-1"


# --- Reading both --------------------------------------------------------------------------------


def guessed_course(clinic, pairs):
    """Sessions of Olga's client, each guessed and then marked."""
    for place, (guessed, marked) in enumerate(pairs):
        session = cast.therapy_session(clinic.olgas, ago=cast.timedelta(days=len(pairs) - place))
        guess(session, clinic.olga, guessed)
        if marked is not None:
            cast.rating(session, marked)


def test_both_lines_stand_side_by_side_once_the_marks_are_there(clinic, guessing, session, sign_in):
    browser = sign_in(clinic.olga)
    guess(session, clinic.olga, 320)
    assert "Nothing is marked yet." in browser.get(LIST).text
    cast.rating(session, 360)
    shown = browser.get(f"{LIST}?client={clinic.olgas.code}").text
    for said in ("K-1, session 1", "8.0", "9.0", "In all 4.0 points lower than marked", "1 of 10 sessions"):
        assert said in shown
    looks = AuditEvent.objects.filter(action="listed", actor=clinic.olga.pk)
    assert looks.latest("id").clients == [clinic.olgas.client.code.hex]


def test_from_ten_sessions_on_the_mean_difference_has_its_interval(clinic, guessing, sign_in):
    guessed_course(clinic, [(350, 340), (360, 380)] * 4 + [(300, 300)])
    assert "9 of 10 sessions" in guess_pairs.read(clinic.olga).figures.sentence
    guessed_course(clinic, [(310, 300)])
    found = guess_pairs.read(clinic.olga)
    assert (found.figures.sessions, found.figures.mean, found.clients) == (10, -3, 1)
    shown = sign_in(clinic.olga).get(LIST).text
    assert "Over 10 sessions your guesses were on average 0.3 points lower than what was marked" in shown


def test_guesses_without_a_total_or_at_another_form_are_not_counted(clinic, guessing):
    missing = cast.therapy_session(clinic.olgas)
    guess_actions.guess(session=missing, answers=cast.answers(300, goals=None), by=clinic.olga)
    cast.rating(missing, 360)
    unmarked = cast.therapy_session(clinic.olgas)
    guess(unmarked, clinic.olga)
    assert guess_pairs.read(clinic.olga).figures.sessions == 0


def test_marks_that_were_set_aside_afterwards_are_shown_no_more(clinic, guessing, session):
    guess(session, clinic.olga, 320)
    rating = cast.rating(session, 360)
    misfiling_actions.set_aside(rating=rating, why="not of K-1", by=clinic.olga)
    (pair,) = guess_pairs.read(clinic.olga).pairs
    assert (pair.is_marked, pair.difference, {line.marked for line in pair.lines}) == (False, None, {""})


def test_as_many_queries_for_thirty_as_for_three(clinic, guessing, sign_in, django_assert_max_num_queries):
    guessed_course(clinic, [(350, 340)] * 3)
    with django_assert_max_num_queries(2):
        guess_pairs.read(clinic.olga)
    guessed_course(clinic, [(350, 340)] * 10)
    with django_assert_max_num_queries(2):
        guess_pairs.read(clinic.olga)


# --- Nobody else ---------------------------------------------------------------------------------


def test_no_page_and_no_file_of_anybody_else_holds_a_guess(clinic, guessing, sign_in):
    """Sina supervises, Carl covers, Adam administers: a canary that only Olga's own page shows."""
    session = cast.therapy_session(clinic.olgas)
    guess(session, clinic.olga, 173)
    cast.rating(session, 360)
    today = cast.timezone.localdate()
    cover_actions.start(
        episodes=[clinic.olgas], colleague=clinic.carl, starts_on=today, ends_on=today, by=clinic.olga
    )
    own = sign_in(clinic.olga).get(LIST).text
    assert "4.4" in own  # the first line of 17.3
    codes = [clinic.olgas.code, session.code, clinic.olgas.client.code, clinic.olga.pk]
    for name in ("sina", "carl", "adam"):
        for address, answer in opened_by(name, clinic, codes):
            text = "" if answer.streaming else answer.text
            assert CANARY not in text, (name, address)
            assert "4.4</td>" not in text, (name, address)
    for person, part in (("olga", "own"), ("carl", "own"), ("sina", "supervised"), ("adam", "clinic")):
        browser = just_asked(sign_in(getattr(clinic, person)))
        answer = browser.post("/export/", {"separator": ",", "part": part, "what": "json"})
        sheets = json.loads(b"".join(answer.streaming_content))["sheets"]
        assert not [name for name in sheets if "guess" in name]
    record = client_record.read(clinic.olgas.client, clinic.olga).as_json()
    assert not [name for name in record["about"]["columns"] if "guess" in name]


def test_carl_reaches_no_guess_about_a_client_of_olgas(clinic, guessing, session, sign_in):
    guess(session, clinic.olga)
    browser = sign_in(clinic.carl)
    assert browser.get(f"{LIST}?client={clinic.olgas.code}").status_code == 404
    assert browser.get(page_of(clinic.olgas)).status_code == 404
    assert "K-1" not in browser.get(LIST).text
    assert list(Guess.objects.visible_to(clinic.carl)) == list(Guess.objects.visible_to(clinic.sina)) == []
    assert list(Guess.objects.visible_to(clinic.olga)) == list(Guess.objects.all())


def test_it_goes_with_the_client(clinic, guessing, session):
    guess(session, clinic.olga)
    request = erasure_actions.ask(client=clinic.olgas.client, reason="asked", note="", by=clinic.adam)
    erasure_actions.confirm(erasure=request, by=clinic.olga)
    assert not Guess.objects.exists()
