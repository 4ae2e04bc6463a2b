"""The groups of the first screen, on the therapist's list and on the supervisor's: the same clients, the same order."""

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.talk_groups import Group
from alliance.models import AuditEvent
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.models import Mode, Rating
from sessions_app.dashboards import client_table, work_list
from sessions_app.dashboards.client_table import Show
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.caseloads import DAY, HOUR, NOW, labels, read, talk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]
WORK_LIST = reverse("dashboard:work_list")
SENTENCE = "I did not feel heard today."


@pytest.fixture
def lists(clinic):
    return lambda show="": work_list.build(clinic.olga, NOW, show)


def names(rows):
    return [row.episode.client.label for row in rows]


def rated(episode, total, *, comment="", share=False, ago=HOUR, **lines):
    grant, _ = hand_over_actions.hand_over(
        session=cast.therapy_session(episode, ago=ago), by=episode.therapist
    )
    return record_rating(
        grant=grant,
        answers=cast.answers(total, **lines),
        mode=Mode.LINE,
        comment=comment,
        share_comment=share,
    )


def stays_low(clinic, label="K-105"):
    """A fall, a talk about it, and a rating since that is no better."""
    episode = cast.episode(clinic.olga, label)
    sessions = cast.rated_course(episode, [380, 380, 380, 300], last_ago=16 * DAY)
    talk(sessions[-1], by=clinic.olga, at=NOW - 15 * DAY)
    cast.rating(cast.therapy_session(episode, ago=9 * DAY), 290)
    assert not answered.calling().filter(session__episode=episode), "the same fall calls once"
    return episode


def back(clinic, label="K-111"):
    """A fall nobody talked about, and a rating since at the usual level."""
    episode = cast.episode(clinic.olga, label)
    cast.rated_course(episode, [380, 380, 380, 300, 386], last_ago=7 * DAY)
    return episode


# --- Who stands where ------------------------------------------------------------------------------


def test_a_rating_of_6_3_leads_the_list_with_the_sentence_in_sight(clinic, lists, sign_in):
    """It stood below a client who was back since a week, and the sentence far down on another page."""
    back(clinic)
    cast.rated_course(clinic.olgas, [380, 385, 386], last_ago=7 * DAY)
    rated(clinic.olgas, None, comment=SENTENCE, relationship=20, goals=8, approach=20, overall=15)
    found = lists()
    assert (names(found.talks), names(found.back)) == (["K-1"], ["K-111"])
    says = found.talks[0].says
    assert (says.now, says.when, says.words, says.lowest) == (
        "6.3",
        "today",
        SENTENCE,
        "goals and topics 0.8",
    )
    assert says.usual == "usually 38.0, 31.7 points lower now"
    text = sign_in(clinic.olga).get(WORK_LIST).text
    assert text.index(SENTENCE) < text.index("Back without a talk")


def test_those_whom_talking_has_not_helped_are_folded_away_nowhere(clinic, lists, sign_in):
    """K-105 slid with five talks and stood under *Everyone else*, the supervisor's folded."""
    stays_low(clinic)
    assert names(lists().stays_low) == labels(read(clinic).stays_low) == ["K-105"]
    for person, page in ((clinic.olga, WORK_LIST), (clinic.sina, reverse("caseload:overview"))):
        text = sign_in(person).get(page).text
        before = (
            text[: text.index(">K-105<")]
            .replace('<details class="account-menu">', "")
            .rpartition("</header>")[2]
        )
        assert before.count("<details") == before.count("</details>")
        assert "Stays low although" in before


def test_the_supervisors_list_has_the_same_clients_in_the_same_order(clinic, lists):
    for label, last in (("near", 310), ("far", 250), ("middle", 290)):
        cast.rated_course(cast.episode(clinic.olga, label), [380, 380, 380, last], last_ago=DAY)
    soon = cast.episode(clinic.olga, "tomorrow")
    cast.rated_course(soon, [380, 380, 380, 315], last_ago=DAY)
    cast.therapy_session(soon, ago=-DAY, attendance="planned")
    back(clinic)
    stays_low(clinic)
    theirs, ours = read(clinic), lists()
    assert names(ours.talks) == labels(theirs.needs_a_talk) == ["tomorrow", "far", "middle", "near"]
    assert names(ours.stays_low) == labels(theirs.stays_low)
    assert names(ours.back) == labels(theirs.back) == ["K-111"]
    assert theirs.needs_a_talk[0].meets == "tomorrow at 12:00"


def test_the_day_after_tomorrow_is_not_soon_on_either_list(clinic, lists):
    for label, ahead in (("soon", 1), ("later", 2)):
        episode = cast.episode(clinic.olga, label)
        cast.rated_course(episode, [380, 380, 380, 315 if label == "soon" else 300], last_ago=DAY)
        cast.therapy_session(episode, ago=-ahead * DAY, attendance="planned")
    assert names(lists().talks) == labels(read(clinic).needs_a_talk) == ["soon", "later"]
    assert [row.is_soon for row in lists().talks] == [True, False]


def test_after_a_talk_the_row_says_so_until_the_day_is_over(clinic, lists, sign_in, time_machine):
    """One talk later the row was gone without a trace."""
    session = cast.rated_course(clinic.olgas, [380, 380, 380, 300])[-1]
    discussion_actions.discuss(
        flags=session.flags.all(), said="Too much at once.", agreed="One topic", by=clinic.olga
    )
    assert names(lists().talked_today) == ["K-1"]
    text = " ".join(sign_in(clinic.olga).get(WORK_LIST).text.split())
    for words in ("Talked about today", "“<bdi>Too much at once.</bdi>”", "One topic"):
        assert words in text
    assert labels(read(clinic).talked_about) == ["K-1"]
    time_machine.move_to(NOW + DAY, tick=False)
    after = work_list.build(clinic.olga, timezone.now())
    assert (names(after.talked_today), names(after.groups[Group.OTHER])) == ([], ["K-1"])
    assert "talked about, next rating to come" in sign_in(clinic.olga).get(WORK_LIST).text


def test_who_is_put_off_stands_in_no_group_and_comes_back(clinic, lists):
    session = cast.rated_course(clinic.olgas, [380, 380, 380, 300])[-1]
    deferral_actions.defer(
        episode=clinic.olgas, flags=session.flags.all(), kind=Deferral.Kind.LATER, why="x", by=clinic.olga
    )
    assert (names(lists().later), names(lists().talks)) == (["K-1"], [])
    assert labels(read(clinic).deferred) == ["K-1"]


def test_every_group_is_shown_in_one_order_from_client_to_client(clinic, sign_in):
    talk_about = clinic.olgas
    cast.rated_course(talk_about, [380, 380, 380, 300])
    low, again = stays_low(clinic), back(clinic)
    quiet = cast.episode(clinic.olga, "K-quiet")
    for person, area in ((clinic.olga, "dashboard"), (clinic.sina, "caseload")):
        browser, seen = sign_in(person), [talk_about.code]
        while True:
            answer = browser.get(reverse(f"{area}:next_client", args=[seen[-1]]))
            code = next((e.code for e in (low, again, quiet) if str(e.code) in answer.url), None)
            if code is None:
                break
            back_again = browser.get(reverse(f"{area}:previous_client", args=[code]))
            assert str(seen[-1]) in back_again.url
            seen.append(code)
        assert seen == [talk_about.code, low.code, again.code, quiet.code]
        assert answer.url == (WORK_LIST if area == "dashboard" else reverse("caseload:overview"))


# --- The client's words -----------------------------------------------------------------------------


@pytest.mark.parametrize("share", [False, True])
def test_a_supervisor_reads_the_sentence_only_where_the_client_ticked_it(clinic, lists, overview, share):
    cast.rated_course(clinic.olgas, [380, 380, 380], last_ago=7 * DAY)
    rated(clinic.olgas, 300, comment=SENTENCE, share=share)
    assert lists().talks[0].says.words == SENTENCE
    assert (SENTENCE in overview(clinic.sina).text) is share
    assert SENTENCE not in overview(clinic.stefan).text


def test_the_sentence_is_that_of_the_last_rating_or_of_a_later_one_with_lines_left_out(clinic, lists):
    cast.rated_course(clinic.olgas, [380, 380, 380], last_ago=7 * DAY)
    rated(clinic.olgas, 300, comment="first", ago=5 * DAY)
    assert lists().talks[0].says.words == "first"
    rated(clinic.olgas, 290, ago=3 * DAY)  # without a sentence: the old one is not said of the new total
    assert lists().talks[0].says.words == ""
    rated(clinic.olgas, 100, goals=None, comment="Too tired to go on.", ago=HOUR)
    says = lists().talks[0].says
    assert (says.now, says.words, says.words_when) == ("29.0", "Too tired to go on.", "today")


def test_a_sentence_that_was_set_aside_is_said_no_more(clinic, lists):
    cast.rated_course(clinic.olgas, [380, 380, 380], last_ago=7 * DAY)
    wrong = rated(clinic.olgas, 300, comment=SENTENCE)
    assert EpisodeStanding.objects.get(episode=clinic.olgas).words == wrong
    misfiling_actions.set_aside(rating=Rating.objects.get(pk=wrong.pk), why="x", by=clinic.olga)
    assert EpisodeStanding.objects.get(episode=clinic.olgas).words is None


# --- One table, one way to hand over, one filled button ----------------------------------------------


def test_each_client_is_handed_over_to_once_and_one_button_is_filled(clinic, sign_in):
    """There were 14 ways to hand over for 12 clients, and up to five filled ones."""
    cast.rated_course(clinic.olgas, [380, 380, 380, 300], last_ago=DAY)
    for label in ("K-3", "K-4"):
        cast.rated_course(cast.episode(clinic.olga, label), [380, 370], last_ago=8 * DAY)
    for episode in clinic.olga.episodes.all():
        cast.therapy_session(episode, ago=HOUR)
    text = sign_in(clinic.olga).get(WORK_LIST).text
    assert text.count("data-give") == 3
    for label in ("K-1", "K-3", "K-4"):
        assert text.count(f'Hand over<span class="visually-hidden"> the tablet to {label}</span>') == 1
    main = text[text.index('id="work-list"') :]
    filled = main.count('class="button "') + main.count('class="button"')
    assert filled == 1


@pytest.mark.parametrize(
    ("show", "shown"),
    [
        ("", ["today", "K-1", "overdue"]),
        ("everyone", ["today", "K-1", "overdue"]),
        ("today", ["today"]),
        ("overdue", ["overdue"]),
        ("nonsense", ["today", "K-1", "overdue"]),
    ],
)
def test_one_table_shows_todays_first_and_is_filtered_by_a_plain_link(clinic, sign_in, show, shown):
    cast.therapy_session(cast.episode(clinic.olga, "today"), ago=HOUR)
    cast.therapy_session(cast.episode(clinic.olga, "overdue"), ago=3 * DAY)
    page = sign_in(clinic.olga).get(WORK_LIST, {"show": show} if show else {})
    assert names(one.row for one in page.context["lists"].table.rows) == shown
    assert f"{WORK_LIST}?show=overdue#clients" in page.text


@pytest.mark.parametrize(("days", "is_listed"), [(6, True), (8, False)])
def test_overdue_ends_after_seven_days(clinic, lists, days, is_listed):
    cast.therapy_session(clinic.olgas, ago=days * DAY)
    assert names(one.row for one in lists("overdue").table.rows) == (["K-1"] if is_listed else [])


def test_of_many_clients_the_groups_come_first_and_the_rest_on_demand(clinic, lists, sign_in, monkeypatch):
    monkeypatch.setattr(client_table, "SHOWN_AT_ONCE", 3)
    for number in range(4):
        cast.rated_course(cast.episode(clinic.olga, f"K-{number + 10}"), [380], last_ago=3 * DAY)
    cast.rated_course(clinic.olgas, [380, 380, 380, 300], last_ago=DAY)
    first = lists()
    assert (names(first.talks), first.show, first.table.rows) == (["K-1"], Show.TODAY, [])
    assert first.table.counts == {Show.TODAY: 0, Show.EVERYONE: 5, Show.OVERDUE: 0}
    page = sign_in(clinic.olga).get(WORK_LIST)
    told = AuditEvent.objects.filter(action="listed").latest("pk")
    assert len(told.clients) == 5, (
        "alone, who is in a group would be told to the administrator who reads the log"
    )
    assert "K-10" not in page.text
    assert "No session is planned for today." in page.text
    piece = sign_in(clinic.olga).get(WORK_LIST, {"show": "everyone"}, headers={"HX-Request": "true"})
    assert "K-10" in piece.text
    assert "<html" not in piece.text


def test_the_groups_ask_no_query_more_for_30_clients(clinic, sign_in, django_assert_max_num_queries):
    counts = []
    for many in (1, 9):
        for number in range(many):
            stays_low(clinic, f"L-{many}-{number}")
            back(clinic, f"B-{many}-{number}")
            cast.rated_course(cast.episode(clinic.olga, f"T-{many}-{number}"), [380, 380, 380, 300])
        for person, page in ((clinic.olga, WORK_LIST), (clinic.sina, reverse("caseload:overview"))):
            browser = sign_in(person)
            browser.get(page)
            with django_assert_max_num_queries(12) as queries:
                assert browser.get(page).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_all_groups_have_a_word_in_the_table():
    assert set(client_table.IN_WORDS) == set(Group) - {Group.OTHER}
