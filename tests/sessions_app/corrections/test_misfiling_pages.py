"""The pages on which marks are set aside, moved and put back: who may, what they say, and what no page shows after."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from clients.models import Supervision
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.decisions import Misfiling, Settlement
from sessions_app.courses.models import Rating
from sessions_app.dashboards import caseload
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app.corrections.marks import disputed

pytestmark = pytest.mark.django_db
SENTENCE = "My sister said so."
WHY = "The wrong name was open."


def at(name, row):
    return reverse(f"marks:{name}", args=[row.code])


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def wrong(session):
    return cast.rating(session, 213, comment=SENTENCE)


@pytest.fixture
def right(clinic):
    return cast.therapy_session(cast.episode(clinic.olga, "K-106"))


def standing(session):
    return Rating.objects.standing().filter(session=session).first()


class TestMarksUnderTheWrongClient:
    """Handed over under K-1, and the person in the room was K-106."""

    def test_are_set_aside_with_a_reason_and_a_way_back(self, clinic, sign_in, session, wrong):
        olga = sign_in(clinic.olga)
        course = reverse("dashboard:client", args=[clinic.olgas.code])
        assert at("set_aside", wrong) in olga.get(course).text
        asked = olga.get(at("set_aside", wrong)).text
        for words in (
            "not of K-1, session 1?",
            SENTENCE,
            "do not name the other client",
            "Set them aside only",
        ):
            assert words in asked
        assert standing(session) == wrong
        done = olga.post(at("set_aside", wrong), {"to": "aside", "why": WHY}, follow=True)
        assert "Session 1: the marks are set aside." in done.text
        assert "Not rated yet" in done.text
        (misfiling,) = Misfiling.objects.all()
        assert at("put_back", misfiling) in done.text
        assert "count again at this session" in olga.get(at("put_back", misfiling)).text
        back = olga.post(at("put_back", misfiling), follow=True)
        assert "the marks are put back" in back.text
        assert standing(session).total == 213
        assert "put back already" in olga.get(at("put_back", misfiling)).text
        assert olga.post(at("put_back", misfiling)).status_code == 422

    def test_are_moved_to_the_session_of_the_same_hour(self, clinic, sign_in, session, wrong, right):
        olga = sign_in(clinic.olga)
        form = olga.get(at("set_aside", wrong)).context["form"]
        offered = dict(form.fields["to"].choices)
        assert [code for code, _ in offered["K-106"]] == [str(right.code)]
        done = olga.post(at("set_aside", wrong), {"to": right.code, "why": WHY}, follow=True)
        assert "moved to session 1 of K-106" in done.text
        assert (standing(session), standing(right).total) == (None, 213)

    def test_leave_nothing_on_any_page_of_the_first_client(self, clinic, sign_in, session, wrong, right):
        """Neither marks nor sentence nor the other's name; in the record they went to, neither the first one's."""
        cast.rated_course(clinic.olgas, [380, 384])
        misfiling_actions.move(rating=wrong, to=right, why=WHY, by=clinic.olga)
        olga = sign_in(clinic.olga)
        of_first = [
            olga.get(reverse("dashboard:client", args=[clinic.olgas.code])).text,
            olga.get(reverse("together:choose", args=[clinic.olgas.code])).text,
            olga.get(reverse("together:show", args=[clinic.olgas.code])).text,
        ]
        of_second = olga.get(reverse("dashboard:client", args=[right.episode.code])).text
        sina = sign_in(clinic.sina)
        of_first.append(sina.get(reverse("caseload:client", args=[clinic.olgas.code])).text)
        for text in of_first:
            for gone in (SENTENCE, "21.3", "5.4", "K-106"):
                assert gone not in text
        for text in (" ".join(of_first[0].split()), " ".join(of_first[3].split())):
            assert "Marks were moved to the session they are of" in text
            assert WHY in text
        assert "21.3" in of_second
        assert SENTENCE in of_second
        assert "Marks were moved here" in of_second
        assert "K-1," not in of_second
        assert WHY not in of_second  # the line is in the record of the first
        shown = caseload.read(clinic.sina, timezone.now())
        assert [one.label for one in shown.needs_a_talk] == ["K-106"]

    def test_the_first_client_leaves_the_lists_it_led(self, clinic, sign_in, session, wrong):
        olga = sign_in(clinic.olga)
        before = olga.get(reverse("dashboard:work_list")).context["lists"]
        assert [row.episode for row in before.talks] == [clinic.olgas]
        misfiling_actions.set_aside(rating=wrong, why=WHY, by=clinic.olga)
        after = olga.get(reverse("dashboard:work_list")).context["lists"]
        assert after.talks == []
        assert [line.state for line in after.today] == ["to_rate"]

    def test_the_reason_may_not_name_the_other_client(self, clinic, sign_in, wrong, right):
        olga = sign_in(clinic.olga)
        for why in ("It was K-106.", "k-106 was here"):
            answer = olga.post(at("set_aside", wrong), {"to": "aside", "why": why})
            assert (answer.status_code, "names another client, K-106" in answer.text) == (422, True)
            assert why in answer.text
        assert not Misfiling.objects.exists()
        answer = olga.post(at("set_aside", wrong), {"to": "aside", "why": "Not K-1 but somebody else."})
        assert answer.status_code == 302

    @pytest.mark.parametrize("data", [{"to": "aside", "why": ""}, {"to": "x", "why": WHY}, {"why": WHY}])
    def test_what_is_missing_is_told_and_nothing_is_written(self, clinic, sign_in, wrong, data):
        answer = sign_in(clinic.olga).post(at("set_aside", wrong), data)
        assert answer.status_code == 422
        assert not Misfiling.objects.exists()

    def test_further_sessions_are_shown_on_request_and_what_was_typed_stays(self, clinic, sign_in, wrong):
        olga = sign_in(clinic.olga)
        other = cast.episode(clinic.olga, "K-107")
        before = cast.therapy_session(other, ago=timedelta(days=30))
        assert str(before.code) not in olga.get(at("set_aside", wrong)).text
        shown = olga.post(
            at("set_aside", wrong), {"show": "1", "client": other.code, "to": "aside", "why": WHY}
        )
        assert (shown.status_code, str(before.code) in shown.text, WHY in shown.text) == (200, True, True)
        assert not Misfiling.objects.exists()
        olga.post(at("set_aside", wrong), {"client": other.code, "to": f"new:{other.code}", "why": WHY})
        assert standing(other.sessions.latest("number")).total == 213

    def test_so_are_those_for_marks_that_were_set_aside_when_they_came(self, clinic, sign_in, session):
        olga, aside = sign_in(clinic.olga), disputed(session)
        other = cast.episode(clinic.olga, "K-107")
        before = cast.therapy_session(other, ago=timedelta(days=30))
        address = reverse("dashboard:misfile_marks", args=[aside.code])
        assert str(before.code) not in olga.get(address).text
        shown = olga.post(address, {"show": "1", "client": other.code, "to": "aside", "why": WHY})
        assert (shown.status_code, str(before.code) in shown.text, WHY in shown.text) == (200, True, True)
        assert not Settlement.objects.exists()

    def test_a_session_with_a_whole_rating_or_to_come_is_not_offered(self, clinic, sign_in, wrong, right):
        cast.rating(right, 380)
        planned = cast.therapy_session(right.episode, ago=timedelta(hours=-25), attendance="planned")
        text = sign_in(clinic.olga).get(at("set_aside", wrong)).text
        assert str(right.code) not in text
        assert str(planned.code) not in text
        answer = sign_in(clinic.olga).post(at("set_aside", wrong), {"to": right.code, "why": WHY})
        assert (answer.status_code, standing(right).total) == (422, 380)

    def test_each_step_is_in_the_log_and_says_nothing_of_what_was_marked(
        self, clinic, sign_in, session, wrong, right
    ):
        olga = sign_in(clinic.olga)
        olga.post(at("set_aside", wrong), {"to": right.code, "why": "canary"})
        olga.post(at("put_back", Misfiling.objects.get()))
        log = sign_in(clinic.adam).get(reverse("clinic:log")).text
        for line in (
            "Olga moved marks out of the record of client K-1",
            "Olga moved marks into the record of client K-106",
            "Olga put marks back into the record of client K-1",
            "Olga moved marks out of the record of client K-106 again, back to where they came in",
        ):
            assert line in log
        assert "canary" not in log
        assert AuditEvent.objects.filter(action="viewed", client=clinic.olgas.client_code).exists()


def test_a_language_chosen_by_the_other_person_is_pointed_out(clinic, sign_in, session):
    before = cast.rating(cast.therapy_session(clinic.olgas), 380)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    hand_over_actions.choose_language(grant=grant, language="ar")
    wrong = record_rating(grant=grant, answers=cast.answers(210), mode="line")
    olga = sign_in(clinic.olga)
    assert "The language was changed on this form" in olga.get(at("set_aside", wrong)).text
    assert "The language was changed" not in olga.get(at("set_aside", before)).text


def test_marks_set_aside_on_arrival_leave_the_page_too(clinic, sign_in, session, right):
    arrived = disputed(session, 213, comment=SENTENCE)
    olga, course = sign_in(clinic.olga), reverse("dashboard:client", args=[clinic.olgas.code])
    address = reverse("dashboard:misfile_marks", args=[arrived.code])
    assert address in olga.get(course).text
    assert SENTENCE in olga.get(address).text
    done = olga.post(address, {"to": right.code, "why": WHY}, follow=True).text
    assert "does not show these marks any more" in done
    for gone in (SENTENCE, "21.3", "5.4", "K-106"):
        assert gone not in done.replace("moved to session 1 of K-106", "")
    assert "Not of this session" in done
    assert SENTENCE not in olga.get(address).text
    assert olga.post(address, {"to": "aside", "why": WHY}).status_code == 422
    again = olga.post(reverse("dashboard:take_up_marks", args=[arrived.code]), follow=True).text
    assert "wait for your decision again" in again
    assert SENTENCE in again
    assert standing(right) is None


class TestWhoMay:
    @pytest.fixture
    def both(self, clinic):
        """Sina supervises Carl too."""
        Supervision.objects.create(
            supervisor=clinic.sina, therapist=clinic.carl, starts_on=timezone.localdate()
        )
        return cast.therapy_session(clinic.carls)

    def test_a_supervisor_of_both_moves_marks_from_one_therapist_to_the_other(
        self, clinic, sign_in, session, wrong, both
    ):
        olga = sign_in(clinic.olga)
        assert str(both.code) not in olga.get(at("set_aside", wrong)).text
        refused = olga.post(at("set_aside", wrong), {"to": both.code, "why": WHY})
        assert (refused.status_code, standing(session)) == (422, wrong)
        sina = sign_in(clinic.sina)
        assert at("set_aside", wrong) in sina.get(reverse("caseload:client", args=[clinic.olgas.code])).text
        done = sina.post(at("set_aside", wrong), {"to": both.code, "why": WHY})
        assert done.url == reverse("caseload:client", args=[clinic.olgas.code])
        assert (standing(session), standing(both).total) == (None, 213)
        page = sign_in(clinic.carl).get(reverse("dashboard:client", args=[clinic.carls.code]))
        theirs = " ".join(page.text.split())
        assert "Marks were moved here" in theirs
        assert "by Sina" in theirs
        for untold in ("K-1,", WHY, "Olga"):
            assert untold not in theirs

    def test_the_way_back_is_for_those_who_see_both_records(self, clinic, sign_in, session, wrong, both):
        misfiling = misfiling_actions.move(rating=wrong, to=both, why=WHY, by=clinic.sina)
        olga = sign_in(clinic.olga)
        told = olga.get(at("put_back", misfiling))
        assert "Sina moved them and can put them back" in told.text
        assert SENTENCE not in told.text
        olga.post(at("put_back", misfiling))
        assert standing(both).total == 213
        assert sign_in(clinic.carl).post(at("put_back", misfiling)).status_code == 404
        assert sign_in(clinic.sina).post(at("put_back", misfiling)).status_code == 302
        assert (standing(session).total, standing(both)) == (213, None)

    def test_a_supervisor_reads_no_sentence_that_the_client_did_not_share(self, clinic, sign_in, wrong):
        text = sign_in(clinic.sina).get(at("set_aside", wrong)).text
        assert "5.4" in text
        assert SENTENCE not in text

    @pytest.mark.parametrize("name", ["carl", "stefan", "adam", "strange"])
    def test_nobody_else(self, clinic, sign_in, session, wrong, name):
        misfiling = misfiling_actions.set_aside(
            rating=cast.rating(cast.therapy_session(clinic.olgas), 380), why=WHY, by=clinic.olga
        )
        browser = sign_in(getattr(clinic, name))
        expected = 404 if name in {"carl", "stefan"} else 403
        for address in (at("set_aside", wrong), at("put_back", misfiling)):
            assert browser.get(address).status_code == expected
            assert browser.post(address, {"to": "aside", "why": WHY}).status_code == expected
        assert standing(session) == wrong


def test_the_number_of_queries_is_the_same_for_3_and_30(clinic, sign_in, django_assert_max_num_queries):
    counts, olga = [], sign_in(clinic.olga)
    olga.get(reverse("dashboard:client", args=[clinic.olgas.code]))  # what is asked once a process
    for many in (3, 27):
        episode = cast.episode(clinic.olga, f"K-{many}")
        right = cast.episode(clinic.olga, f"R-{many}")
        for place in range(many):
            rating = cast.rating(cast.therapy_session(episode), 300)
            if place % 3:
                misfiling_actions.set_aside(rating=rating, why=WHY, by=clinic.olga)
            else:
                to = cast.therapy_session(right)
                misfiling_actions.move(rating=rating, to=to, why=WHY, by=clinic.olga)
        last = cast.rating(cast.therapy_session(episode), 300)
        for address in (
            reverse("dashboard:client", args=[episode.code]),
            reverse("dashboard:client", args=[right.code]),
            at("set_aside", last),
        ):
            with django_assert_max_num_queries(40) as queries:
                olga.get(address)
            counts.append(len(queries))
    assert counts[:3] == counts[3:]
