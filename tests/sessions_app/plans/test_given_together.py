"""Due forms on the pages of the session: shown, ticked, given in one press, taken back as a set."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance, Rating, TherapySession
from sessions_app.courses.tablets import PairedTablet
from tests import cast
from tests.sessions_app.intake import inventories
from tests.sessions_app.intake.pairing import paired
from tests.sessions_app.intake.rate_form import DONE, FORM, marks
from tests.sessions_app.plans.conftest import AS_RATING, AT_3_AND_9, AT_EACH_END, on_now
from tests.sessions_app.plans.test_plan_pages import hidden, text

pytestmark = pytest.mark.django_db
WORK_LIST = "/dashboard/"


@pytest.fixture
def olga(clinic, sign_in):
    return sign_in(clinic.olga)


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def to_come(clinic):
    """Later today, or on a day to come where today is nearly over."""
    return cast.therapy_session(clinic.olgas, ago=timedelta(hours=-3), attendance=Attendance.PLANNED)


def address(clinic, query="", name="hand_over"):
    return reverse(f"dashboard:{name}", args=[clinic.olgas.code]) + query


def ticked(answer):
    page = answer.content.decode()
    boxes = [one.split(">")[0] for one in page.split("<input ") if 'type="checkbox"' in one.split(">")[0]]
    return [one.split('value="')[1].split('"')[0] for one in boxes if " checked" in one]


def press(client, clinic, session, *forms, name="hand_over", **more):
    page = client.get(address(clinic, f"?session={session.code}"))
    typed = {"forms": "with rating", "session": session.code, "form": forms, **more}
    return client.post(address(clinic, name=name), {"form_key": hidden(page, "form_key"), **typed})


def out():
    rows = RatingGrant.every.awaiting(timezone.now()).order_by("place_in_set")
    return list(rows.values_list("instrument", flat=True))


def test_a_questionnaire_is_not_lost_where_the_tablet_is_handed_over_a_second_time(
    olga, clinic, session, plan
):
    """Signed in again before anything was marked, the second hand-over takes back all that the first one gave."""
    plan("life-lines", moment="end")
    assert press(olga, clinic, session, "life-lines", rating="on").status_code == 303
    again = sign_in_again(olga, clinic)
    page = again.get(address(clinic, f"?session={session.code}"))
    assert ticked(page) == ["on", "life-lines"]
    # Control: given for itself it is on its way, and is not asked for twice.
    RatingGrant.objects.update(withdrawn_at=timezone.now(), withdrawn_by=clinic.olga)
    assert ticked(again.get(address(clinic, f"?session={session.code}"))) == ["on"]


def sign_in_again(browser, clinic):
    browser.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def test_words_that_are_nobodys_are_called_so_where_they_are_given(olga, clinic, session, plan):
    inventories.loaded(clinic.adam, "wai-sr", edition="invented words")
    plan("wai-sr", moment="end")
    said = "WAI-SR (invented words)"
    assert said in olga.get(reverse("dashboard:work_list")).content.decode()
    assert said in olga.get(reverse("dashboard:client", args=[clinic.olgas.code])).content.decode()
    assert "in invented words, for the end" in olga.get(address(clinic)).content.decode()


def test_a_session_that_is_due_something_has_one_way_to_paper_and_not_two(olga, clinic, session, plan):
    plan("life-lines", moment="end")
    page = olga.get(reverse("dashboard:client", args=[clinic.olgas.code])).content.decode()
    due = page.split('id="forms-of-client"')[1].split("</section>")[0]
    assert due.count(reverse("dashboard:paper_forms", args=[session.code])) == 1


def test_without_a_planned_session_the_page_does_not_say_that_nothing_is_due(olga, clinic, plan):
    plan("life-lines", moment="end")
    page = olga.get(reverse("dashboard:client", args=[clinic.olgas.code])).content.decode()
    assert "Nothing is due" not in page
    assert "What a new one asks for stands at" in page
    assert "life-lines" in ticked(olga.get(address(clinic)))


class TestAClinicThatPlansNothing:
    def test_sees_nothing_of_it(self, olga, clinic, session):
        pages = [
            olga.get(address(clinic)),
            olga.get(WORK_LIST),
            olga.get(address(clinic, name="client")),
        ]
        for page in pages:
            assert "Which forms?" not in text(page)
            assert "forms=alone" not in page.content.decode()

    def test_gives_the_rating_as_before(self, olga, clinic, session):
        olga.post(address(clinic), {"session": session.code})
        assert out() == ["session-rating"]


class TestTheHandOver:
    def test_what_is_due_at_the_end_is_ticked_with_the_rating(self, olga, clinic, session, plan):
        plan("caregiver-session-rating", **AT_EACH_END)  # another rater: given to them alone
        plan("life-lines", **AT_EACH_END)
        plan("phq-8", moment="start", frequency="each")
        plan("wai-sr", **AT_EACH_END)
        page = olga.get(address(clinic, f"?session={session.code}"))
        assert ticked(page) == ["on", "life-lines"]
        assert "WAI-SR is due and cannot be given today: No licence" in text(page)

    def test_one_press_gives_them_one_after_the_other(self, olga, clinic, session, plan):
        plan(**AT_EACH_END)
        assert press(olga, clinic, session, "life-lines", rating="on").url == FORM
        assert out() == ["session-rating", "life-lines"]
        olga.post(FORM, marks())
        assert olga.get(DONE).url == FORM

    def test_pressed_again_it_makes_nothing_twice(self, olga, clinic, session, plan, sign_in):
        plan(**AT_EACH_END)
        page = olga.get(address(clinic, f"?session={session.code}"))
        typed = {"form_key": hidden(page, "form_key"), "forms": "with rating", "session": session.code}
        for _ in range(2):
            sign_in(clinic.olga).post(address(clinic), {**typed, "rating": "on", "form": "life-lines"})
        assert RatingGrant.every.count() == 2

    def test_unticked_the_rating_is_not_given(self, olga, clinic, session, plan):
        plan(**AT_EACH_END)
        press(olga, clinic, session, "life-lines")
        assert out() == ["life-lines"]

    def test_nothing_ticked_is_said_and_what_was_chosen_stays(self, olga, clinic, session, plan):
        plan(**AT_EACH_END)
        answer = press(olga, clinic, session)
        assert (answer.status_code, "Choose at least one form." in text(answer), ticked(answer)) == (
            409,
            True,
            [],
        )

    @pytest.mark.parametrize(("form", "status"), [("wai-sr", 409), ("phq-9", 409), ("srs", 404), ("?", 404)])
    def test_what_cannot_be_given_is_refused(self, olga, clinic, session, plan, form, status):
        plan()
        assert press(olga, clinic, session, form).status_code == status
        assert out() == []

    def test_the_form_of_the_client_s_age_is_named(self, olga, clinic, session, plan):
        plan("couple-family-session-rating", age_band="adult", **AS_RATING)
        assert "Couple or family session rating" in text(olga.get(address(clinic)))
        entered = olga.get(reverse("dashboard:enter_rating", args=[session.code]))
        assert "Couple or family session rating" in text(entered)


class TestBeforeTheSession:
    def test_start_forms_are_given_for_a_session_that_is_to_come(self, olga, clinic, to_come, plan):
        plan()
        plan("phq-8", **AT_EACH_END)
        query = f"?forms=alone&session={to_come.code}"
        assert ticked(olga.get(address(clinic, query))) == ["life-lines"]
        press(olga, clinic, to_come, "life-lines", forms="alone")
        assert out() == ["life-lines"]
        to_come.refresh_from_db()
        assert to_come.attendance == Attendance.PLANNED

    def test_the_rating_of_it_is_refused_in_words(self, olga, clinic, to_come, plan):
        plan()
        answer = press(olga, clinic, to_come, "life-lines", rating="on")
        assert (answer.status_code, "is still to come" in text(answer), out()) == (409, True, [])

    def test_where_no_session_is_planned_one_begins_now(self, olga, clinic, plan):
        plan()
        page = olga.get(address(clinic, "?forms=alone"))
        assert ticked(page) == ["life-lines"]
        typed = {"forms": "alone", "session": "new", "form": "life-lines", "seen": ""}
        for _ in range(2):
            olga.post(address(clinic), {"form_key": hidden(page, "form_key"), **typed})
        session = TherapySession.objects.get()
        assert (session.attendance, out()) == (Attendance.PLANNED, ["life-lines"])
        assert session.ends_at > timezone.now()

    @pytest.mark.parametrize("begins_with_a_form", [True, False])
    def test_a_session_that_began_early_with_its_first_form_is_the_one_that_is_rated(
        self, clinic, plan, sign_in, time_machine, begins_with_a_form
    ):
        """Planned for 15:00, begun at 14:05: its rating became a new session, apart from the form given before."""
        begun = timezone.localtime().replace(hour=14, minute=5, second=0, microsecond=0)
        time_machine.move_to(begun, tick=False)
        at_three = cast.therapy_session(
            clinic.olgas, held_at=begun + timedelta(minutes=55), attendance=Attendance.PLANNED
        )
        plan()
        olga = sign_in(clinic.olga)
        if begins_with_a_form:
            page = olga.get(address(clinic, "?forms=alone"))
            assert page.context["choice"].chosen == at_three
            press(olga, clinic, at_three, "life-lines", forms="alone")
        time_machine.move_to(begun + timedelta(minutes=34), tick=False)
        olga = sign_in_again(olga, clinic)
        page = olga.get(address(clinic))
        said = "today, 15:00 to 15:50, begun early: a form was given at 14:05"
        assert (said in text(page)) is begins_with_a_form
        chosen = page.context["choice"].chosen
        assert chosen == (at_three if begins_with_a_form else None)
        typed = {"forms": "with rating", "session": chosen.code if chosen else "new", "rating": "on"}
        olga.post(address(clinic), {"form_key": hidden(page, "form_key"), **typed})
        olga.post(FORM, marks())
        rated = Rating.objects.get().session
        assert (rated == at_three, TherapySession.objects.count()) == (
            (True, 1) if begins_with_a_form else (False, 2)
        )

    def test_and_after_the_rating_came(self, olga, clinic, session, plan):
        plan(**AT_EACH_END)
        cast.rating(session)
        assert ticked(olga.get(address(clinic, f"?forms=alone&session={session.code}"))) == ["life-lines"]
        press(olga, clinic, session, "life-lines", forms="alone")
        assert out() == ["life-lines"]


class TestOtherDevices:
    def test_a_link_names_what_opens_and_how_long_it_takes(self, olga, clinic, session, plan):
        plan(**AT_EACH_END)
        answer = press(olga, clinic, session, "life-lines", rating="on", name="make_link")
        assert "The forms open one after the other: Session rating , Life lines" in text(answer)
        assert "?minutes=2#" in answer.content.decode()

    def test_a_link_for_a_questionnaire_alone_says_where_it_stands(self, olga, clinic, session, plan):
        plan(**AT_EACH_END)
        cast.rating(session)
        answer = press(olga, clinic, session, "life-lines", forms="alone", name="make_link")
        assert "The form is: Life lines" in text(answer)
        assert "Sent, not opened" in text(answer)

    def test_a_room(self, olga, clinic, session, plan):
        plan(**AT_EACH_END)
        paired(clinic)
        room = PairedTablet.objects.get()
        answer = press(olga, clinic, session, "life-lines", rating="on", name="send", tablet=room.code)
        assert answer.status_code == 302
        assert "Session rating, Life lines" in text(olga.get(answer.url))

    def test_a_caregiver_is_given_a_form_of_their_own(self, olga, clinic, session, plan):
        plan("caregiver-session-rating", **AT_EACH_END)
        page = olga.get(address(clinic, f"?forms=alone&by=caregiver&session={session.code}"))
        assert ticked(page) == ["caregiver-session-rating"]
        assert "Hand over a form to a caregiver of K-1?" in text(page)
        press(
            olga, clinic, session, "caregiver-session-rating", forms="alone", by="caregiver", name="make_link"
        )
        grant = RatingGrant.every.get()
        assert (grant.rater, grant.purpose) == ("caregiver", "questionnaire")
        # Never in one set with those of the client, who would read it.
        assert press(olga, clinic, session, "caregiver-session-rating", rating="on").status_code == 404


class TestWhereTheyStand:
    def test_on_the_work_list_at_the_session(self, olga, clinic, plan):
        plan(**AT_3_AND_9 | {"numbers": "1"})
        plan("phq-8")
        plan("gad-7", **AT_EACH_END)
        for _ in range(2):
            cast.therapy_session(clinic.olgas, ago=timedelta(minutes=1))
        said = text(olga.get(WORK_LIST))
        assert "start: PHQ-8" in said
        assert "end: session rating, GAD-7" in said
        assert "due: Life lines (since session 1)" in said

    def test_on_the_client_s_page_with_what_is_out_and_a_way_to_take_it_back(
        self, olga, clinic, session, plan, sign_in
    ):
        plan(**AT_EACH_END)
        page = address(clinic, name="client")
        assert "end: Life lines" in text(olga.get(page))
        press(olga, clinic, session, "life-lines", rating="on", name="make_link")
        said = text(olga.get(page))
        assert "Given out at session 1: Life lines ( Sent, not opened )" in said
        olga.post(reverse("dashboard:take_back", args=[session.code]))
        assert (out(), "Given out" in text(olga.get(page))) == ([], False)

    def test_an_open_page_is_told_when_the_answers_came(self, olga, clinic, session, plan):
        plan(**AT_EACH_END)
        page = address(clinic, name="client")
        piece = olga.get(page, {"seen": "old"}, HTTP_HX_REQUEST="true").content.decode()
        assert 'hx-swap-oob="true"' in piece

    def test_a_new_press_withdraws_what_nobody_can_reach_any_more(self, olga, clinic, session, plan):
        """A link that was not opened holds two forms; one of them is given again on the tablet."""
        plan(**AT_EACH_END)
        press(olga, clinic, session, "life-lines", "gad-7", forms="alone", name="make_link")
        press(olga, clinic, session, "life-lines", forms="alone")
        assert out() == ["life-lines"]


def test_3_and_30_clients_ask_the_same_number_of_queries(olga, clinic, plan, django_assert_max_num_queries):
    plan()
    plan(**AT_3_AND_9)
    olga.get(WORK_LIST)
    counts = []
    for clients in (3, 30):
        while clinic.olga.episodes.count() < clients:
            cast.episode(clinic.olga, f"K-{100 + clinic.olga.episodes.count()}")
        for episode in clinic.olga.episodes.all():
            on_now(episode)
        with django_assert_max_num_queries(40) as queries:
            assert "start: Life lines" in text(olga.get(WORK_LIST))
        counts.append(len(queries))
    assert counts[0] == counts[1]
