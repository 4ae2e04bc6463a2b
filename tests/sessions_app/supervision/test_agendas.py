"""The agenda of a meeting: what it is made of, in whose order, who sees it, and what stays of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent, Role
from alliance.refused import Refused
from clients import actions as episode_actions
from clients.models import Episode, Supervision
from sessions_app.dashboards import agenda_lines
from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Flag
from sessions_app.records import erasure_actions
from sessions_app.supervision import agenda_actions as actions
from sessions_app.supervision import question_actions, talk_actions
from sessions_app.supervision.agenda_actions import Proposal
from sessions_app.supervision.agendas import Agenda, AgendaItem
from tests import cast

pytestmark = pytest.mark.django_db
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
Why = AgendaItem.Why


def made(clinic, on=None, proposals=()):
    day = on or timezone.localdate()
    return actions.make_agenda(therapist=clinic.olga, held_on=day, proposals=proposals, by=clinic.sina)


def over(agenda, ago=WEEK):
    Agenda.objects.filter(pk=agenda.pk).update(held_on=timezone.localdate() - ago)
    agenda.refresh_from_db()
    return agenda


def line(agenda, text, by):
    return actions.add_item(agenda=agenda, text=text, by=by)


def order(agenda):
    return [item.text for item in agenda.items.filter(removed_at=None)]


def proposed(clinic):
    found = agenda_lines.proposals(clinic.sina, clinic.olga, timezone.now())
    return [(one.episode.client.label if one.episode else one.text, one.why) for one in found]


def talks(episode):
    """Calls for a talk."""
    cast.rated_course(episode, [380, 380, 300])


def stays_low(episode):
    """Fell, was talked about, and the ratings since are no better."""
    *_, fell = cast.rated_course(episode, [380, 382, 384, 300], last_ago=3 * WEEK)
    discussion_actions.discuss(
        flags=Flag.objects.filter(session=fell), said="x", agreed="y", by=episode.therapist
    )
    cast.rated_course(episode, [302, 303], last_ago=timedelta(hours=2))


class TestWhatItIsMadeOf:
    def test_the_groups_then_open_questions_then_what_was_agreed_and_left_last_time(self, clinic):
        low, fell, asked, agreed, quiet = (
            cast.episode(clinic.olga, label) for label in ("K-11", "K-12", "K-13", "K-14", "K-15")
        )
        stays_low(low)
        talks(fell)
        cast.rated_course(quiet, [380, 380])
        question_actions.ask(episode=asked, words="x", by=clinic.sina)
        before = made(clinic)
        line(before, "The holidays", clinic.olga)
        actions.tick_item(item=line(before, "Ticked", clinic.olga), ticked=True, by=clinic.olga)
        over(before)
        talk_actions.note_supervision(
            episode=agreed, held_on=timezone.localdate() - WEEK, agreed="z", by=clinic.sina
        )
        assert proposed(clinic) == [
            ("K-12", Why.TALK),
            ("K-11", Why.LOW),
            ("K-13", Why.QUESTION),
            ("K-14", Why.AGREED),
            ("The holidays", Why.LEFT),
        ]

    def test_nobody_of_another_therapist(self, clinic):
        talks(clinic.carls)
        assert proposed(clinic) == []

    def test_a_client_stands_once_with_the_first_reason(self, clinic):
        talks(clinic.olgas)
        question_actions.ask(episode=clinic.olgas, words="x", by=clinic.sina)
        assert proposed(clinic) == [("K-1", Why.TALK)]

    def test_its_page_says_the_level_of_today_the_open_question_and_what_was_agreed(self, clinic, sign_in):
        talks(clinic.olgas)
        question_actions.ask(episode=clinic.olgas, words="What fell?", by=clinic.sina)
        talk_actions.note_supervision(
            episode=clinic.olgas, held_on=timezone.localdate() - DAY, agreed="Slower", by=clinic.olga
        )
        browser = sign_in(clinic.sina)
        page = browser.get(reverse("supervision:make_agenda", args=[clinic.olga.pk]))
        assert "1 item:" in page.text
        answer = browser.post(
            reverse("supervision:make_agenda", args=[clinic.olga.pk]), {"held_on": timezone.localdate()}
        )
        text = browser.get(answer.url).text
        assert all(said in text for said in ("K-1", "30.0", "What fell?", "Slower"))
        assert "30.0" not in str(list(AgendaItem.objects.values())), "an agenda keeps no marks"


class TestWrites:
    def test_an_agenda_of_a_day_is_made_once(self, clinic):
        assert made(clinic) == made(clinic)
        with pytest.raises(Refused, match="is over"):
            made(clinic, on=timezone.localdate() - DAY)
        with pytest.raises(Refused, match="do not supervise"):
            actions.make_agenda(
                therapist=clinic.carl, held_on=timezone.localdate(), proposals=[], by=clinic.sina
            )

    def test_what_came_up_since_is_added_at_the_end_once(self, clinic):
        agenda = made(clinic, proposals=[Proposal(clinic.olgas, Why.TALK)])
        line(agenda, "Mine", clinic.olga)
        other = cast.episode(clinic.olga, "K-9")
        news = [Proposal(other, Why.TALK), Proposal(clinic.olgas, Why.QUESTION)]
        assert [actions.fill_agenda(agenda=agenda, proposals=news, by=clinic.sina) for _ in range(2)] == [
            1,
            0,
        ]
        assert [(item.episode, item.text) for item in agenda.items.all()] == [
            (clinic.olgas, ""),
            (None, "Mine"),
            (other, ""),
        ]

    def test_who_was_taken_off_does_not_come_back_by_itself(self, clinic):
        agenda = made(clinic, proposals=[Proposal(clinic.olgas, Why.TALK)])
        for _ in range(2):
            actions.remove_item(item=agenda.items.get(), by=clinic.olga)
        assert (
            actions.fill_agenda(agenda=agenda, proposals=[Proposal(clinic.olgas, Why.TALK)], by=clinic.sina)
            == 0
        )
        with pytest.raises(Refused, match="taken off"):
            actions.tick_item(item=agenda.items.get(), ticked=True, by=clinic.olga)
        for _ in range(2):
            actions.put_back_item(item=agenda.items.get(), by=clinic.olga)
        assert agenda.items.get().removed_at is None

    def test_a_client_who_was_closed_or_erased_meanwhile_comes_on_no_agenda(self, clinic):
        closed, erased = cast.episode(clinic.olga, "K-7"), cast.episode(clinic.olga, "K-8")
        agenda = made(clinic)
        news = [Proposal(one, Why.TALK) for one in (clinic.olgas, closed, erased)]
        episode_actions.close_episode(
            episode=closed, ending="planned", closed_on=timezone.localdate(), by=clinic.olga
        )
        request = erasure_actions.ask(client=erased.client, reason="asked", note="", by=clinic.adam)
        erasure_actions.confirm(erasure=request, by=clinic.olga)
        for episode in (closed, erased):
            with pytest.raises(Refused):
                actions.add_item(agenda=agenda, text="x", episode=episode, by=clinic.sina)
        assert actions.fill_agenda(agenda=agenda, proposals=news, by=clinic.sina) == 1
        assert made(clinic, on=timezone.localdate() + DAY, proposals=news).items.get().episode == clinic.olgas

    def test_up_and_down_and_not_off_the_ends(self, clinic):
        agenda = made(clinic)
        one, two, three = (line(agenda, text, clinic.olga) for text in ("1", "2", "3"))
        actions.move_item(item=three, up=True, by=clinic.sina)
        assert order(agenda) == ["1", "3", "2"]
        actions.move_item(item=one, up=True, by=clinic.sina)
        actions.move_item(item=two, up=False, by=clinic.sina)
        assert order(agenda) == ["1", "3", "2"]
        actions.remove_item(item=three, by=clinic.olga)
        actions.move_item(item=two, up=True, by=clinic.olga)
        assert order(agenda) == ["2", "1"]

    def test_a_tick_says_what_it_makes_of_it_so_that_twice_is_once(self, clinic, sign_in):
        item = line(made(clinic), "1", clinic.olga)
        address = reverse("supervision:change_item", args=[item.code])
        for _ in range(2):
            sign_in(clinic.olga).post(address, {"do": "tick"})
        item.refresh_from_db()
        assert item.ticked_by == clinic.olga
        sign_in(clinic.sina).post(address, {"do": "untick"})
        item.refresh_from_db()
        assert item.ticked_at is None
        assert (
            "Choose one of the buttons." in sign_in(clinic.sina).post(address, {"do": "x"}, follow=True).text
        )

    def test_a_line_sent_twice_is_added_once(self, clinic, sign_in):
        agenda = made(clinic)
        browser = sign_in(clinic.olga)
        key = (
            browser.get(reverse("supervision:agenda", args=[agenda.code])).context["form"]["form_key"].value()
        )
        for _ in range(2):
            browser.post(
                reverse("supervision:add_item", args=[agenda.code]),
                {"text": "Fees", "form_key": key, "episode": clinic.olgas.code},
            )
        assert agenda.items.get().episode == clinic.olgas

    def test_a_line_about_somebody_elses_client_is_refused_and_the_words_are_kept(self, clinic, sign_in):
        address = reverse("supervision:add_item", args=[made(clinic).code])
        page = sign_in(clinic.olga).post(address, {"text": "Fees", "episode": clinic.carls.code})
        assert (page.status_code, 'value="Fees"' in page.text) == (422, True)

    def test_from_the_day_after_it_is_only_read(self, clinic, sign_in):
        agenda = made(clinic, proposals=[Proposal(clinic.olgas, Why.TALK)])
        item = line(agenda, "1", clinic.olga)
        talk_actions.note_supervision(
            episode=clinic.olgas, held_on=timezone.localdate() - WEEK, agreed="Slower", by=clinic.olga
        )
        talks(clinic.olgas)
        over(agenda)
        for write in (
            lambda: actions.move_item(item=item, up=True, by=clinic.sina),
            lambda: actions.tick_item(item=item, ticked=True, by=clinic.sina),
            lambda: actions.remove_item(item=item, by=clinic.sina),
            lambda: line(agenda, "2", clinic.olga),
            lambda: actions.fill_agenda(agenda=agenda, proposals=[], by=clinic.sina),
        ):
            with pytest.raises(Refused, match="is over"):
                write()
        text = sign_in(clinic.sina).get(reverse("supervision:agenda", args=[agenda.code])).text
        assert "Slower" in text
        assert "30.0" not in text, "what the course says now is not what they talked about"


class TestWhoSeesIt:
    def test_the_two_and_nobody_else(self, clinic, sign_in):
        agenda = made(clinic, proposals=[Proposal(clinic.olgas, Why.TALK)])
        tom = cast.person("Tom", Role.SUPERVISOR)
        Supervision.objects.create(supervisor=tom, therapist=clinic.olga, starts_on=cast.STARTED)
        address = reverse("supervision:agenda", args=[agenda.code])
        answers = {
            who.name: sign_in(who).get(address).status_code
            for who in (clinic.olga, clinic.sina, clinic.carl, clinic.stefan, tom, clinic.adam)
        }
        assert answers == {"Olga": 200, "Sina": 200, "Carl": 404, "Stefan": 404, "Tom": 404, "Adam": 403}

    def test_a_supervision_that_ended_closes_it_to_the_supervisor(self, clinic, sign_in):
        agenda = made(clinic)
        Supervision.objects.update(ends_on=timezone.localdate() - DAY)
        address = reverse("supervision:agenda", args=[agenda.code])
        assert sign_in(clinic.sina).get(address).status_code == 404
        assert str(agenda.code) not in sign_in(clinic.sina).get(reverse("supervision:agendas")).text
        assert sign_in(clinic.olga).get(address).status_code == 200

    def test_who_lost_a_course_reads_no_label_of_it(self, clinic, sign_in):
        agenda = made(clinic, proposals=[Proposal(clinic.olgas, Why.TALK)])
        Episode.objects.filter(pk=clinic.olgas.pk).update(therapist=clinic.carl)
        text = sign_in(clinic.sina).get(reverse("supervision:agenda", args=[agenda.code])).text
        assert "K-1" not in text
        assert "whose course you do not see any more" in text

    @pytest.mark.parametrize("is_over", [False, True])
    def test_the_log_tells_of_the_agenda_and_not_who_stands_on_it(self, clinic, sign_in, is_over):
        other = cast.episode(clinic.olga, "K-7")
        agenda = made(clinic, proposals=[Proposal(clinic.olgas, Why.TALK)])
        lines = AuditEvent.objects.filter(action__startswith="agenda")
        assert [(one.action, one.client, one.clients) for one in lines] == [("agenda made", None, None)]
        if is_over:
            over(agenda)
        for reader in (clinic.sina, clinic.olga):
            sign_in(reader).get(reverse("supervision:agenda", args=[agenda.code]))
            listed = AuditEvent.objects.filter(action="listed").latest("pk")
            codes = {one.client.code.hex for one in (clinic.olgas, other)}
            assert set(listed.clients) == codes, "as every list, so that a look is known, and nobody alone"

    def test_who_supervises_nobody_and_is_not_supervised_reads_what_it_is_for(self, clinic, sign_in):
        Supervision.objects.all().delete()
        assert "No meeting is prepared yet." in sign_in(clinic.olga).get(reverse("supervision:agendas")).text


def test_an_erasure_takes_the_client_and_lines_that_name_them(clinic):
    agenda = made(clinic, proposals=[Proposal(clinic.olgas, Why.TALK)])
    for text in ("k-1 and the school", "K-11 and the school"):
        line(agenda, text, clinic.olga)
    request = erasure_actions.ask(client=clinic.olgas.client, reason="asked", note="", by=clinic.adam)
    erasure_actions.confirm(erasure=request, by=clinic.olga)
    assert order(agenda) == ["(erased)", "K-11 and the school"]


def test_as_many_queries_for_three_lines_as_for_thirty(clinic, sign_in):
    agenda, browser, counts = made(clinic), sign_in(clinic.sina), []
    address = reverse("supervision:agenda", args=[agenda.code])
    for many in (3, 30):
        while (there := agenda.items.count()) < many:
            episode = cast.episode(clinic.olga, f"K-{there + 10}")
            cast.therapy_session(episode)
            question_actions.ask(episode=episode, words="x", by=clinic.sina)
            actions.fill_agenda(agenda=agenda, proposals=[Proposal(episode, Why.QUESTION)], by=clinic.sina)
        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert len(browser.get(address).context["page"].lines) == many
        counts.append(len(queries))
    assert counts[0] == counts[1]
