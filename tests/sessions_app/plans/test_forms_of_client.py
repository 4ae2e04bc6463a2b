"""The therapist's pages about the forms of one client: given otherwise or not at all, with a reason and a way back."""

import pytest
from django.urls import reverse

from alliance.measurement import instruments
from alliance.refused import Refused
from clients.actions import close_episode
from sessions_app.plans import choice_actions
from sessions_app.plans.models import PlannedForm
from tests import cast
from tests.sessions_app.plans.conftest import AS_RATING
from tests.sessions_app.plans.test_plan_pages import opened, text

pytestmark = pytest.mark.django_db
LIFE = instruments.get("life-lines")


def page(name, clinic, query=""):
    return reverse(f"dashboard:{name}", args=[clinic.olgas.code]) + query


@pytest.fixture
def olga(clinic, sign_in):
    return sign_in(clinic.olga)


def test_it_shows_what_is_planned_and_by_whom(olga, clinic, plan):
    plan()
    said = text(olga.get(page("forms", clinic)))
    assert "Session rating the form of the clinic" in said
    assert "Life lines at the start of each session by the plan of the clinic" in said


def test_nothing_is_planned_and_it_says_so(olga, clinic):
    assert "No questionnaire is planned for this client." in text(olga.get(page("forms", clinic)))


def test_switched_off_with_a_reason_and_back(olga, clinic, plan):
    plan()
    address = page("switch_form_off", clinic, "?form=life-lines")
    assert olga.post(address, opened(olga, address, why=" ")).status_code == 422
    olga.post(address, opened(olga, address, why="Too much for him"))
    said = text(olga.get(page("forms", clinic)))
    assert (
        "Life lines is not given Too much for him · the clinic plans it at the start of each session" in said
    )
    back = reverse("dashboard:by_the_plan", args=[PlannedForm.objects.get(is_off=True).code])
    for _ in range(2):
        olga.post(back, opened(olga, back))
    said = text(olga.get(page("forms", clinic)))
    assert "Life lines at the start of each session by the plan of the clinic" in said
    assert "Life lines is not given. Too much for him" in said  # under Before


def test_given_at_another_time(olga, clinic, plan):
    plan()
    address = page("give_form", clinic, "?form=life-lines")
    assert 'value="start"' in olga.get(address).content.decode()
    olga.post(address, opened(olga, address, moment="end", frequency="sessions", every="2", why="She tires"))
    said = text(olga.get(page("forms", clinic)))
    assert "Life lines at the end of every second session She tires" in said


def test_a_form_that_the_clinic_does_not_plan_and_pressed_twice(olga, clinic, plan):
    plan()
    address = page("give_form", clinic)
    said = olga.get(address).content.decode()
    assert ('value="gad-7"' in said, 'value="wai-sr"' in said, 'value="phq-9"' in said) == (
        bool(instruments.get("gad-7").wordings), False, False,
    )  # fmt: skip
    address = page("give_form", clinic, "?form=caregiver-session-rating")
    typed = opened(olga, address, moment="end", frequency="each", why="The mother brings him")
    olga.post(address, typed)
    olga.post(address, typed)
    assert PlannedForm.objects.filter(episode=clinic.olgas).count() == 1
    said = text(olga.get(page("forms", clinic)))
    assert "The mother brings him · the clinic does not plan it" in said


def test_another_scale_for_one_client(olga, clinic):
    address = page("choose_scale", clinic)
    olga.post(
        address, opened(olga, address, instrument="couple-family-session-rating", why="They come as a pair")
    )
    said = text(olga.get(page("forms", clinic)))
    assert "Couple or family session rating chosen for this client: They come as a pair" in said
    assert "By the plan again" in said


def test_changed_in_two_tabs_the_second_is_shown_both(olga, clinic, plan, course):
    plan()
    address = page("give_form", clinic, "?form=life-lines")
    typed = opened(olga, address, moment="end", frequency="each", why="From the first tab")
    course.off(LIFE, why="From the second tab")
    answer = olga.post(address, typed)
    assert answer.status_code == 409
    assert "From the second tab" in text(answer)
    assert PlannedForm.objects.standing().get(episode=clinic.olgas).is_off


def test_nobody_but_the_therapist_reaches_it(clinic, sign_in, plan, course):
    plan()
    chosen = course.off(LIFE)
    addresses = [
        *(page(name, clinic) for name in ("forms", "give_form", "choose_scale")),
        page("switch_form_off", clinic, "?form=life-lines"),
        reverse("dashboard:by_the_plan", args=[chosen.code]),
    ]
    for person in (clinic.carl, clinic.sina, clinic.stefan, clinic.adam, clinic.strange):
        client = sign_in(person)
        for address in addresses:
            assert client.get(address).status_code in {403, 404}
            if address == addresses[0]:
                continue  # it is read alone
            assert client.post(address, {"why": "x", "moment": "start", "frequency": "each"}).status_code in {
                403,
                404,
            }
    assert list(PlannedForm.objects.standing().filter(episode=clinic.olgas)) == [chosen]


def test_a_course_that_is_over_is_read_and_not_written(olga, clinic, plan, course):
    plan()
    chosen = course.give(moment="end")
    close_episode(episode=clinic.olgas, closed_on=cast.timezone.localdate(), ending="planned", by=clinic.olga)
    assert "Life lines at the end" in text(olga.get(page("forms", clinic)))
    for write in (
        lambda: course.off(LIFE),
        lambda: course.give(**AS_RATING | {"instrument": "srs"}),
        lambda: choice_actions.by_the_plan(chosen=chosen, by=clinic.olga),
    ):
        with pytest.raises(Refused, match="closed"):
            write()
