"""What therapist and supervisor see of marks that do not count, and what the therapist's pages do."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from sessions_app.corrections import actions as decide
from sessions_app.corrections import misfiling_actions, set_aside
from sessions_app.courses.decisions import Settlement
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import Mode, Rating, SetAsideRating
from sessions_app.intake import hand_over_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast
from tests.sessions_app.corrections.marks import disputed, use, withdrawn

pytestmark = pytest.mark.django_db
WORK_LIST = reverse("dashboard:work_list")


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def olga(clinic, sign_in):
    return sign_in(clinic.olga)


def page_of(olga, clinic):
    return olga.get(at("client", clinic.olgas))


class TestWhatIsSeen:
    def test_the_work_list_counts_them_and_leads_to_them(self, clinic, olga, session):
        disputed(session)
        withdrawn(cast.therapy_session(clinic.olgas))
        page = olga.get(WORK_LIST)
        assert "Marks waiting for your decision: 2." in page.text
        assert f"{at('client', clinic.olgas)}#set-aside" in page.text
        assert [(one.session.number, one.count) for one in page.context["lists"].to_look_at] == [
            (1, 1),
            (2, 1),
        ]

    def test_several_of_one_session_are_one_place_to_look_at(self, clinic, olga, session):
        for total in (330, 340):
            disputed(session, total)
        (one,) = olga.get(WORK_LIST).context["lists"].to_look_at
        assert one.count == 2

    def test_nothing_is_said_where_nothing_waits(self, clinic, olga, session):
        decide.leave(aside=disputed(session), by=clinic.olga)
        use(disputed(session, 340))
        assert "Marks waiting for your decision" not in olga.get(WORK_LIST).text

    def test_late_marks_of_a_closed_episode_are_seen_and_the_look_is_logged(self, clinic, olga, session):
        disputed(session)
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        assert "Marks waiting for your decision: 1." in olga.get(WORK_LIST).text
        assert AuditEvent.objects.get(action="listed").clients == [clinic.olgas.client_code.hex]

    def test_an_open_work_list_hears_of_them(self, clinic, olga, session):
        rating = cast.rating(session)
        stamp = olga.get(WORK_LIST).context["stamp"]
        with pytest.raises(NotStored):
            record_rating(grant=rating.grant, answers=cast.answers(100), mode=Mode.LINE)
        answer = olga.get(WORK_LIST, query_params={"seen": stamp}, headers={"HX-Request": "true"})
        assert "Marks waiting for your decision: 1." in answer.text

    def test_the_clients_page_shows_what_why_how_and_what_to_do(self, clinic, olga, session):
        aside = disputed(session, None, relationship=95, goals=62, approach=95, overall=None, comment="Hm.")
        text = page_of(olga, clinic).text
        for words in (
            "Session 1: marks were set aside",
            "tablet",
            "Other marks had been stored for this session before.",
            "Goals and topics: 9.5 stands, 6.2 arrived later",
            "Hm.",
            "Ask the client which marks they meant.",
            at("use_marks", aside),
            at("leave_marks", aside),
        ):
            assert words in text

    def test_what_the_clock_of_the_device_said_is_told_as_its_claim(self, clinic, olga, session, monkeypatch):
        claimed = timezone.make_aware(timezone.datetime(1970, 1, 1, 0, 5))
        monkeypatch.setattr(set_aside.SetAside, "claimed_at", claimed)
        disputed(session)
        assert "the device’s own clock said 1 Jan 1970, 00:05" in page_of(olga, clinic).text

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
    @pytest.mark.parametrize("moment", [datetime.max, datetime.min])
    def test_a_clock_at_an_end_of_the_calendar_breaks_no_page(self, clinic, olga, session, zone, moment):
        """In rows of before: now none is stored. Near the ends a moment has no date in some zones."""
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        claimed = moment.replace(tzinfo=UTC)
        with pytest.raises(NotStored):
            record_rating(grant=grant, answers=cast.answers(), mode=Mode.LINE, claimed_at=claimed)
        assert SetAsideRating.objects.get().claimed_at == claimed
        with timezone.override(zone):
            page = page_of(olga, clinic)
        assert "marks were set aside" in page.text
        assert "own clock" not in page.text

    def test_marks_from_a_form_that_lay_open_say_so(self, clinic, olga, session):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        with pytest.raises(NotStored):
            record_rating(grant=grant, answers=cast.answers(), mode=Mode.NUMBER, until=timezone.now())
        text = page_of(olga, clinic).text
        assert "The time to fill in this form was past. It may have lain open." in text
        assert "Use them if you know that they are this client’s, of this session." in text.replace(
            "&#x27;", "’"
        )

    def test_what_cannot_be_read_is_shown_escaped_and_offers_no_use(self, clinic, olga, session, monkeypatch):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        fields = {"answers": {}, "language": "en", "mode": Mode.LINE, "sha256": "x", "reason": "invalid"}
        aside = SetAsideRating.objects.create(grant=grant, session=session, **fields)
        monkeypatch.setattr(set_aside.SetAside, "raw", "<script>{5")
        text = page_of(olga, clinic).text
        assert "&lt;script&gt;{5" in text
        assert at("use_marks", aside) not in text
        assert at("leave_marks", aside) in text
        response = olga.post(at("use_marks", aside), {"seen": ""})
        assert (response.status_code, "cannot be read" in response.text) == (422, True)

    def test_settled_and_earlier_marks_stay_readable_at_the_session(self, clinic, olga, session):
        decide.leave(aside=disputed(session, 330), why="A slip.", by=clinic.olga)
        use(disputed(session, 340), why="She said so.")
        text = page_of(olga, clinic).text
        for words in ("Earlier marks, marks that were set aside", "A slip.", "She said so.", "Take up again"):
            assert words in text
        assert "marks were set aside" not in text

    def test_the_number_of_queries_is_the_same_for_3_and_30(
        self, clinic, olga, django_assert_max_num_queries
    ):
        counts = []
        for many in (3, 27):
            episode = cast.episode(clinic.olga, f"K-{many}")
            for place in range(many):
                aside = disputed(cast.therapy_session(episode), 330)
                if place % 3 == 1:
                    use(aside)
                elif place % 3 == 2:
                    decide.leave(aside=aside, by=clinic.olga)
            for address in (at("client", episode), WORK_LIST):
                olga.get(address)
                with django_assert_max_num_queries(40) as queries:
                    olga.get(address)
                counts.append(len(queries))
        assert counts[:2] == counts[2:]


class TestWhoSees:
    def test_a_supervisor_sees_that_there_are_some_and_nothing_to_press(self, clinic, sign_in, session):
        aside = disputed(session, None, relationship=91, goals=62, approach=95, overall=95)
        sina = sign_in(clinic.sina)
        overview = sina.get(reverse("caseload:overview"))
        assert "Marks set aside: 1" in overview.text
        text = sina.get(reverse("caseload:client", args=[clinic.olgas.code])).text
        assert "Session 1: marks arrived that do not count." in text
        assert "Marks set aside: 1" in text
        for hidden in ("6.2", str(aside.code), "/use/", "/leave/", "/correct/"):
            assert hidden not in text

    def test_a_supervisor_reads_earlier_marks_but_no_words_the_client_did_not_share(
        self, clinic, sign_in, session
    ):
        paper = enter_rating(
            session=session, answers=cast.answers(280), channel=Channel.PAPER, comment="mine", by=clinic.olga
        )
        decide.correct(
            rating=paper, answers=cast.answers(380), channel=Channel.PAPER, why="28 for 38", by=clinic.olga
        )
        text = sign_in(clinic.sina).get(reverse("caseload:client", args=[clinic.olgas.code])).text
        assert "28 for 38" in text
        assert "mine" not in text
        assert "/put-back/" not in text

    def test_a_supervisor_does_not_read_marks_that_counted_for_a_while_and_wait_again(
        self, clinic, sign_in, session
    ):
        aside = withdrawn(session, None, relationship=91, goals=62, approach=95, overall=95)
        decide.put_back(rating=use(aside), by=clinic.olga)
        text = sign_in(clinic.sina).get(reverse("caseload:client", args=[clinic.olgas.code])).text
        assert "Marks set aside: 1" in text
        assert "6.2" not in text
        read = {who: set_aside.of_episode(clinic.olgas, reads_comments=who) for who in (True, False)}
        assert [len(found[session.pk].earlier) for found in read.values()] == [1, 0]

    def test_everybody_who_is_named_at_a_session_is_known_to_the_page(self, clinic, session):
        """A page is kept until a name on it changes: of whoever asked again, decided, moved, or put back."""
        otto, agnes = (cast.person(name, "therapist") for name in ("Otto", "Agnes"))
        cast.rating(session, None, relationship=91, goals=62, approach=95, overall=None)
        grant, _ = hand_over_actions.hand_over(session=session, by=otto)
        whole = record_rating(grant=grant, answers=cast.answers(330), mode=Mode.LINE)
        decide.leave(aside=disputed(session), by=clinic.carl)
        there = cast.therapy_session(cast.episode(clinic.olga, "K-107"))
        moved = misfiling_actions.move(rating=whole, to=there, why="x", by=clinic.olga)
        misfiling_actions.put_back(misfiling=moved, by=agnes)
        named = {
            one.pk: {
                person.name
                for person in set_aside.of_episode(one.episode, reads_comments=True)[one.pk].people
            }
            for one in (session, there)
        }
        assert named[session.pk] >= {"Otto", "Carl"}
        assert named[there.pk] == {"Olga", "Agnes"}

    @pytest.mark.parametrize("name", ["carl", "sina", "stefan", "adam", "strange"])
    @pytest.mark.parametrize("page", ["use_marks", "leave_marks", "take_up_marks"])
    def test_nobody_else_decides(self, clinic, sign_in, session, name, page):
        aside = disputed(session)
        olga = sign_in(getattr(clinic, name))
        assert olga.post(at(page, aside)).status_code == (404 if name == "carl" else 403)
        assert not Settlement.objects.exists()

    @pytest.mark.parametrize("name", ["carl", "sina", "adam"])
    @pytest.mark.parametrize("page", ["correct_rating", "put_back"])
    def test_nobody_else_corrects(self, clinic, sign_in, session, name, page):
        rating = use(disputed(session))
        answer = sign_in(getattr(clinic, name)).post(at(page, rating))
        assert answer.status_code == (404 if name == "carl" else 403)
        assert Rating.objects.standing().get() == rating

    def test_no_page_of_the_office_says_anything_of_it(self, clinic, sign_in, session):
        aside = disputed(session, 333)
        decide.leave(aside=aside, why="canary", by=clinic.olga)
        adam = sign_in(clinic.adam)
        for address in (reverse("clients:list"), reverse("clients:client", args=[clinic.olgas.client.code])):
            text = adam.get(address).text
            assert "aside" not in text
            assert "canary" not in text
        log = adam.get(reverse("clinic:log")).text
        assert "Olga left marks of client K-1 aside" in log
        assert "canary" not in log


class TestDeciding:
    def test_use_asks_first_with_both_side_by_side(self, clinic, olga, session):
        page = olga.get(at("use_marks", disputed(session, 330)))
        assert "They take the place of the marks that stand." in page.text
        assert "33.0" in page.text
        assert "38.0" in page.text
        assert not Settlement.objects.exists()

    def test_use_then_back_on_the_clients_page_with_word_of_it(self, clinic, olga, session):
        aside = disputed(session, 330)
        stands = Rating.objects.get()
        response = olga.post(
            at("use_marks", aside), {"seen": stands.code, "why": "She said so."}, follow=True
        )
        assert "Session 1: these marks count now." in response.text
        assert Rating.objects.standing().get().total == 330

    def test_where_no_rating_stands_it_says_so_and_the_marks_can_be_taken_out_again(
        self, clinic, olga, session
    ):
        aside = withdrawn(session)
        assert "They become the rating of this session." in olga.get(at("use_marks", aside)).text
        olga.post(at("use_marks", aside), {"seen": "", "why": ""})
        address = at("put_back", Rating.objects.get())
        assert address in page_of(olga, clinic).text
        assert "Take the marks of session 1 out again?" in olga.get(address).text
        done = olga.post(address, follow=True)
        assert "the marks are taken out again" in done.text
        assert "Marks waiting for your decision" in done.text
        assert "/put-back/" not in done.text  # the marks wait, and are decided about there
        for page in (page_of(olga, clinic), olga.get(reverse("dashboard:work_list"))):
            assert ("Not rated yet" in page.text, "Not fully answered" in page.text) == (True, False)
        form = olga.get(at("use_marks", aside)).context["form"]
        olga.post(at("use_marks", aside), {"seen": form["seen"].value(), "why": ""})
        assert Rating.objects.standing().get().total == 330

    def test_a_rating_that_arrived_meanwhile_is_shown_before_it_is_replaced(self, clinic, olga, session):
        aside = withdrawn(session, 330)
        olga.get(at("use_marks", aside))
        late = cast.rating(session, 400)
        stale = olga.post(at("use_marks", aside), {"seen": "", "why": "She said so."})
        assert (stale.status_code, "Look at both again" in stale.text) == (422, True)
        assert "40.0" in stale.text
        assert "She said so." in stale.text
        assert f'name="seen" value="{late.code}"' in stale.text
        assert Rating.objects.standing().get() == late
        olga.post(at("use_marks", aside), {"seen": late.code, "why": ""})
        assert Rating.objects.standing().get().total == 330

    def test_a_second_press_is_told_and_changes_nothing(self, clinic, olga, session):
        aside = withdrawn(session)
        for _ in range(2):
            response = olga.post(at("use_marks", aside), {"seen": ""})
        assert (response.status_code, "decided about these marks already" in response.text) == (422, True)
        assert "<button>Use these marks" not in response.text
        assert Rating.objects.count() == 1

    def test_nonsense_for_what_was_seen_decides_nothing(self, clinic, olga, session):
        assert olga.post(at("use_marks", withdrawn(session)), {"seen": "x"}).status_code == 422
        assert not Rating.objects.exists()

    def test_leave_and_take_up_again(self, clinic, olga, session):
        aside = disputed(session)
        assert olga.get(at("leave_marks", aside)).status_code == 200
        left = olga.post(at("leave_marks", aside), {"why": "A slip."}, follow=True)
        assert "left aside" in left.text
        again = olga.post(at("take_up_marks", aside), follow=True)
        assert "wait for your decision again" in again.text
        twice = olga.post(at("take_up_marks", aside), follow=True)
        assert "not left aside any more" in twice.text

    def test_a_why_is_one_line(self, clinic, olga, session):
        assert olga.post(at("leave_marks", disputed(session)), {"why": "x" * 201}).status_code == 422
        assert not Settlement.objects.exists()

    def test_a_look_at_the_marks_is_in_the_log(self, clinic, olga, session):
        olga.get(at("use_marks", disputed(session)))
        event = AuditEvent.objects.get(action="viewed")
        assert (event.actor, event.client) == (clinic.olga.pk, clinic.olgas.client_code)


class TestCorrecting:
    four = {"relationship": "8,2", "goals": "7.5", "approach": "9", "overall": "", "channel": "paper"}  # noqa: RUF012

    @pytest.fixture
    def paper(self, clinic, session):
        answers = {"relationship": 28, "goals": 75, "approach": 90, "overall": None}
        return enter_rating(session=session, answers=answers, channel=Channel.PAPER, by=clinic.olga)

    def test_the_form_holds_what_stands(self, clinic, olga, paper):
        assert at("correct_rating", paper) in page_of(olga, clinic).text
        form = olga.get(at("correct_rating", paper)).context["form"]
        assert [form[name].value() for name in (*cast.ITEMS, "channel")] == ["2.8", "7.5", "9.0", "", "paper"]

    def test_the_correction_counts_and_the_earlier_marks_say_who_when_and_why(self, clinic, olga, paper):
        response = olga.post(at("correct_rating", paper), {**self.four, "why": "28 for 82"}, follow=True)
        assert "the marks are corrected" in response.text
        (row,) = response.context["page"].rows
        assert row.answers[0] == ("Relationship", "8.2")
        (earlier,) = row.beside.earlier
        assert earlier.marks == "relationship 2.8, goals and topics 7.5, approach 9.0, overall no answer"
        assert (earlier.correction.why, earlier.correction.corrected_by) == ("28 for 82", clinic.olga)
        assert "28 for 82" in response.text

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"why": ""}, "Write in one line why."),
            ({"relationship": "82"}, "Please give a number from 0 to 10."),
            ({"relationship": "2.8"}, "Nothing is different"),
            (dict.fromkeys(cast.ITEMS, ""), "Enter at least one answer"),
        ],
    )
    def test_what_is_wrong_is_told_and_nothing_typed_is_lost(self, clinic, olga, paper, change, sentence):
        response = olga.post(at("correct_rating", paper), {**self.four, "why": "w", "comment": "", **change})
        assert (response.status_code, sentence in response.text) == (422, True)
        assert Rating.objects.get() == paper

    def test_marks_made_on_a_device_are_explained_and_never_corrected(self, clinic, olga, session):
        rating = cast.rating(session)
        assert at("correct_rating", rating) not in page_of(olga, clinic).text
        page = olga.get(at("correct_rating", rating))
        assert "They are the client&#x27;s own" in page.text
        assert '<form method="post" novalidate>' not in page.text
        answer = olga.post(at("correct_rating", rating), {**self.four, "why": "w"})
        assert (answer.status_code, Rating.objects.count()) == (422, 1)

    def test_is_undone_with_a_question_first(self, clinic, olga, paper):
        olga.post(at("correct_rating", paper), {**self.four, "why": "w"})
        corrected = Rating.objects.standing().get()
        address = at("put_back", corrected)
        assert address in page_of(olga, clinic).text
        asked = olga.get(address)
        assert "Use the earlier marks of session 1 again?" in asked.text
        assert Rating.objects.standing().get() == corrected
        done = olga.post(address, follow=True)
        assert "the earlier marks count again" in done.text
        assert Rating.objects.standing().get().answers == paper.answers
        assert olga.post(address).status_code == 422

    def test_nothing_to_go_back_to_offers_nothing(self, clinic, olga, paper):
        assert "nothing to go back to" in olga.get(at("put_back", paper)).text
        assert olga.post(at("put_back", paper)).status_code == 422
