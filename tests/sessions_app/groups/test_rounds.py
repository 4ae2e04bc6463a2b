"""One tablet that goes from hand to hand: each opens their own form by their number, and nobody learns of another."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.refused import Refused
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.groups import round_actions
from sessions_app.groups.models import TabletRound
from sessions_app.groups.views import passing
from sessions_app.intake import hand_over_actions, sending_actions
from tests import cast
from tests.built_once import copy_of, kept_open
from tests.sessions_app.groups import a_group
from tests.sessions_app.intake.rate_form import marks

pytestmark = pytest.mark.django_db
NEXT = "/pass/"


def signed_in(person, **options):
    browser = Browser(**options)
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        clinic = cast.clinic()
        yield clinic, a_group.begun(a_group.of_five(clinic))


@pytest.fixture
def copied(built):
    return copy_of(built)


@pytest.fixture
def clinic(copied):
    return copied[0]


@pytest.fixture
def held(copied):
    return copied[1]


@pytest.fixture
def tablet(clinic, held):
    browser = signed_in(clinic.olga)
    answer = browser.post(reverse("groups:pass_round", args=[held.code]))
    assert (answer.status_code, answer["Location"]) == (303, NEXT)
    return browser


def number_of(clinic, label):
    return str(clinic.members[label].number)


def hands_in(tablet, tenths="90"):
    """Without scripts, as the form's own page sends it."""
    assert tablet.get("/rate/").status_code == 200
    return tablet.post("/rate/", marks(**dict.fromkeys(cast.ITEMS, tenths)))


class TestWhoHasAForm:
    def test_who_is_there_and_has_not_rated(self, clinic, held):
        cast.rating(a_group.part_of(held, "K-11"), 300)
        declined, _ = hand_over_actions.hand_over(session=a_group.part_of(held, "K-12"), by=clinic.olga)
        hand_over_actions.decline(grant=declined)
        phone = cast.link(a_group.part_of(held, "K-21"), by=clinic.cora)
        begun = round_actions.begin_round(group_session=held, by=clinic.olga)
        out = RatingGrant.objects.awaiting(timezone.now()).filter(channel="tablet")
        assert {one.session.episode.client.label for one in out} == {"K-1", "K-31"}
        assert begun.forms == 2
        phone.grant.refresh_from_db()
        assert phone.grant.withdrawn_at is None  # a link that is under way stays good

    def test_with_nobody_to_ask_it_is_refused(self, clinic, held):
        for label in a_group.LABELS:
            cast.rating(a_group.part_of(held, label), 300)
        with pytest.raises(Refused, match="Nobody is waiting"):
            round_actions.begin_round(group_session=held, by=clinic.olga)
        assert not TabletRound.objects.exists()

    def test_pressed_twice_it_is_one_round_with_the_same_forms(self, clinic, held):
        key = uuid4()
        first = round_actions.begin_round(group_session=held, by=clinic.olga, form_key=key)
        second = round_actions.begin_round(group_session=held, by=clinic.olga, form_key=key)
        assert (first.round, first.forms, second.forms) == (second.round, 5, 0)
        assert RatingGrant.objects.count() == 5

    def test_a_form_that_goes_out_elsewhere_meanwhile_opens_on_the_tablet_no_more(self, clinic, held):
        """Else two devices would hold one form, and the marks of one of them would be lost."""
        of = round_actions.begin_round(group_session=held, by=clinic.olga).round
        number = clinic.members["K-11"].number
        assert round_actions.open_form(of=of, number=number) == round_actions.open_form(of=of, number=number)
        sending_actions.make_link(
            episode=clinic.members["K-11"].episode, session=a_group.part_of(held, "K-11"), by=clinic.olga
        )
        assert round_actions.open_form(of=of, number=number) is None


class TestPassedOn:
    def test_five_people_hand_in_one_after_the_other_in_any_order(self, clinic, held, tablet):
        for place, label in enumerate(["K-31", "K-1", "K-21", "K-12", "K-11"]):
            assert tablet.post(NEXT, {"number": number_of(clinic, label)})["Location"] == "/rate/"
            assert hands_in(tablet, f"{50 + 10 * place}")["Location"] == "/rate/done/"
            assert tablet.get("/rate/done/")["Location"] == NEXT
        totals = {one.session.episode.client.label: one.total for one in Rating.objects.all()}
        assert totals == {"K-31": 200, "K-1": 240, "K-21": 280, "K-12": 320, "K-11": 360}
        assert {one.instrument for one in Rating.objects.all()} == {"group-session-rating"}
        # After the last it looks as between two: it tells nobody who or how many are left.
        assert tablet.get(NEXT).status_code == 200

    def test_no_page_of_the_round_names_anybody_the_group_or_a_count(self, clinic, held, tablet):
        said = [tablet.get(NEXT).content.decode()]
        tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        said.append(tablet.get("/rate/").content.decode())
        hands_in(tablet)
        said.append(tablet.get("/rate/done/", follow=True).content.decode())
        said.append(tablet.post(NEXT, {"number": "1"}).content.decode())
        for page in said:
            text = page.split("<main", 1)[1]
            assert [word for word in [*a_group.LABELS, "Thursday", "Olga", "Cora"] if word in text] == []
        numbers = [number_of(clinic, label) for label in a_group.LABELS]
        between = [said[0], *said[2:]]
        assert [number for number in numbers for page in between if number in page.split("<main", 1)[1]] == []

    def test_the_page_between_two_is_the_same_to_the_byte_but_for_its_token(self, clinic, held, tablet):
        between = []
        for label in a_group.LABELS:
            tablet.post(NEXT, {"number": number_of(clinic, label)})
            hands_in(tablet)
            tablet.get("/rate/done/")
            between.append(without_token(tablet.get(NEXT)))
        assert len(between) == 5
        assert all(page == between[0] for page in between)

    def test_the_first_person_is_not_told_to_pass_the_tablet_on_that_nobody_had_before_them(
        self, clinic, held, tablet
    ):
        first, again = tablet.get(NEXT).text, tablet.post(NEXT, {"number": "1"}).text
        for page in (first, again):
            assert ("<h1>Please type your number</h1>" in page, "pass the tablet" in page) == (True, False)
        tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        tablet.post("/rate/not-today/")
        assert "<h1>Please pass the tablet to the next person.</h1>" in tablet.get(NEXT).text

    def test_the_last_person_reads_where_the_tablet_goes(self, clinic, held, tablet):
        for label in a_group.LABELS:
            tablet.post(NEXT, {"number": number_of(clinic, label)})
            hands_in(tablet)
            tablet.get("/rate/done/")
        assert "If everybody has had it, please hand it back to your therapist." in tablet.get(NEXT).text

    @pytest.mark.parametrize("typed", ["", "0", "abc", "-1", "٣٤٥٦٧", "99999999", "1e3", " "])
    def test_another_number_finds_the_same_sentence_whatever_it_is(self, clinic, held, tablet, typed):
        answer = tablet.post(NEXT, {"number": typed})
        assert answer.status_code == 422
        assert "No form waits for this number" in answer.content.decode()

    def test_who_has_handed_in_finds_the_sentence_of_a_wrong_number(self, clinic, held, tablet):
        tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        hands_in(tablet)
        tablet.get("/rate/done/")
        again = tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        assert without_token(again) == without_token(tablet.post(NEXT, {"number": "1"}))

    def test_arabic_figures_are_the_same_number(self, clinic, held, tablet):
        figures = number_of(clinic, "K-11").translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
        assert tablet.post(NEXT, {"number": f" {figures} "})["Location"] == "/rate/"

    def test_after_ten_wrong_numbers_somebody_on_staff_has_to_look(self, clinic, held, tablet):
        for _ in range(passing.MOST_WRONG):
            tablet.post(NEXT, {"number": "1"})
        answer = tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        assert answer.status_code == 410
        assert "hand the tablet back" in answer.content.decode()

    def test_who_declines_passes_it_on_and_is_noted_as_declined(self, clinic, held, tablet):
        tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        tablet.post("/rate/not-today/")
        assert tablet.get("/rate/done/")["Location"] == NEXT
        grant = RatingGrant.objects.get(session=a_group.part_of(held, "K-11"))
        assert grant.declined
        assert tablet.post(NEXT, {"number": number_of(clinic, "K-12")})["Location"] == "/rate/"

    def test_while_somebody_marks_the_page_between_two_leads_back_to_them(self, clinic, held, tablet):
        tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        assert tablet.get(NEXT)["Location"] == "/rate/"
        assert tablet.post(NEXT, {"number": number_of(clinic, "K-12")})["Location"] == "/rate/"
        assert not RatingGrant.objects.get(session=a_group.part_of(held, "K-12")).opened_at

    def test_a_form_that_ran_out_leads_on_to_the_next_person(self, clinic, held, tablet):
        tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        grant = RatingGrant.objects.get(session=a_group.part_of(held, "K-11"))
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        closed = tablet.get("/rate/")
        assert (closed.status_code, NEXT in closed.content.decode()) == (410, True)
        assert tablet.post(NEXT, {"number": number_of(clinic, "K-12")})["Location"] == "/rate/"

    def test_marks_are_not_shown_at_the_end_where_others_sit_beside(self, clinic, held, tablet):
        cast.choose(clinic.adam, closing="marks")
        tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        hands_in(tablet)
        assert tablet.get("/rate/done/?now=x")["Location"] == NEXT

    def test_when_its_time_is_over_it_opens_nothing(self, clinic, held, tablet):
        TabletRound.objects.update(open_until=timezone.now() - timedelta(minutes=1))
        answer = tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        assert answer.status_code == 410


class TestWhoHoldsIt:
    def test_the_leader_is_signed_out_and_comes_back_to_the_session(self, clinic, held, tablet):
        assert tablet.get(reverse("groups:session", args=[held.code]))["Location"] == "/rate/"
        assert tablet.session["device_lock"]["return_to"] == reverse("groups:session", args=[held.code])

    def test_a_browser_that_holds_no_round_has_no_such_page(self, clinic, held):
        assert Browser().get(NEXT).status_code == 404
        alone = signed_in(clinic.olga)
        part = held.attendances.get(member=clinic.members["K-11"])
        alone.post(reverse("groups:give", args=[part.code]))
        assert alone.get(NEXT)["Location"] == "/rate/"
        assert alone.post(NEXT, {"number": number_of(clinic, "K-12")})["Location"] == "/rate/"

    def test_each_person_has_a_cookie_of_their_own(self, clinic, held, tablet):
        keys = {tablet.session.session_key}
        tablet.post(NEXT, {"number": number_of(clinic, "K-11")})
        keys.add(tablet.session.session_key)
        hands_in(tablet)
        tablet.get("/rate/done/")
        keys.add(tablet.session.session_key)
        assert len(keys) == 3

    def test_somebody_elses_group_cannot_be_passed_round(self, clinic, held):
        for who in (clinic.carl, clinic.sina, clinic.adam):
            answer = signed_in(who).post(reverse("groups:pass_round", args=[held.code]))
            assert answer.status_code in {403, 404}
        assert not TabletRound.objects.exists()


def without_token(answer):
    lines = answer.content.decode().splitlines()
    return [line for line in lines if "csrfmiddlewaretoken" not in line]
