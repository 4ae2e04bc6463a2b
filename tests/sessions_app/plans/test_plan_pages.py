"""The administrator's pages about the plan: sentences, what a change asks before it is stored, and the way back."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.refused import Refused
from clients.models import Client
from sessions_app.plans import plan_actions
from sessions_app.plans.models import PlannedForm
from tests import cast
from tests.sessions_app.intake import inventories
from tests.sessions_app.plans.conftest import AS_RATING, AT_3_AND_9, AT_EACH_END

pytestmark = pytest.mark.django_db
LIST, ADD = "/clinic/plan/", "/clinic/plan/add/"
LIFE = {"instrument": "life-lines", "moment": "start", "frequency": "each", "for_whom": "clinic"}


@pytest.fixture
def adam(clinic, sign_in):
    return sign_in(clinic.adam)


def text(answer):
    page = re.sub(r"<(script|style).*?</\1>", "", answer.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def hidden(answer, name):
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', answer.content.decode())
    return found.group(1) if found else ""


def opened(client, address, **typed):
    """The fields of a page that was opened, with what was typed."""
    page = client.get(address)
    keys = {name: hidden(page, name) for name in ("form_key", "opened_with")}
    return {**{name: value for name, value in keys.items() if value}, **typed}


def test_an_empty_plan_says_what_happens_and_offers_the_one_next_step(adam):
    said = text(adam.get(LIST))
    assert "No form is planned Sessions are rated as chosen under Settings" in said
    assert "Plan a form" in said


def test_it_is_looked_at_before_it_is_stored_and_undone_after(adam, clinic):
    cast.rated_course(clinic.olgas, [380, 380, 380, 380])
    typed = opened(adam, ADD, **LIFE)
    seen = adam.post(ADD, {**typed, "step": "preview"})
    said = text(seen)
    assert "Every client: Life lines at the start of each session." in said
    assert "It is about 2 clients who are in therapy today." in said
    assert (
        "it would have asked 1 client, including those who have ended since, for 4 forms: about 0.5 a week"
        in said
    )
    assert "Minutes a session 1 2" in said
    assert not PlannedForm.objects.exists()
    done = adam.post(ADD, {**typed, "step": "save"}, follow=True)
    assert "Planned. Every client: Life lines at the start of each session." in text(done)
    row = PlannedForm.objects.standing().get()
    adam.post(reverse("plan:undo", args=[row.code]))
    assert not PlannedForm.objects.standing().exists()
    assert "Plan again" in text(adam.get(LIST))


def test_change_something_goes_back_with_all_that_was_typed(adam):
    typed = opened(adam, ADD, **LIFE | {"frequency": "sessions", "every": "3"})
    back = adam.post(ADD, {**typed, "step": "edit"}).content.decode()
    assert re.search(r'value="3"[^>]*name="every"|name="every"[^>]*value="3"', back)


def test_sent_twice_it_is_planned_once(adam):
    typed = opened(adam, ADD, **LIFE, step="save")
    adam.post(ADD, typed)
    adam.post(ADD, typed)
    assert PlannedForm.objects.count() == 1


def test_the_same_sentence_again_is_refused(adam, plan):
    plan()
    again = adam.post(ADD, opened(adam, ADD, **LIFE, step="save"))
    assert (again.status_code, plan_actions.TWICE in text(again)) == (422, True)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"instrument": ""}, "This field is required"),
        ({"frequency": ""}, "Choose how often"),
        ({"frequency": "sessions", "every": "1"}, "Write a number from 2 to 52"),
        ({"frequency": "sessions", "every": ""}, "Write a number from 2 to 52"),
        ({"frequency": "weeks", "every": "60"}, "less than or equal to 52"),
        ({"frequency": "chosen", "numbers": ""}, "Write at least one session, as in: 3 and 9"),
        ({"frequency": "chosen", "numbers": "third"}, "Write the numbers of the sessions, as in: 3 and 9"),
        ({"frequency": "chosen", "numbers": "0"}, "Sessions have numbers from 1 to 500"),
        ({"for_whom": "therapists"}, "Choose at least one therapist"),
        ({"for_whom": "team"}, "Choose who supervises them"),
        ({"instrument": "phq-9"}, "first has to read and confirm what the site does"),
    ],
)
def test_bad_input_is_said_in_words_and_nothing_is_stored(adam, typed, says):
    for step in ("preview", "save"):
        answer = adam.post(ADD, opened(adam, ADD, **LIFE | typed, step=step))
        assert (answer.status_code, says in text(answer)) == (422, True), text(answer)
    assert not PlannedForm.objects.exists()


def test_what_does_not_matter_for_the_choice_is_left_out(adam, clinic):
    typed = {
        "moment": "intake",
        "frequency": "chosen",
        "numbers": "third",
        "every": "99",
        "for_whom": "clinic",
    }
    adam.post(
        ADD, opened(adam, ADD, instrument="life-lines", **typed, supervisor=str(clinic.sina.pk), step="save")
    )
    row = PlannedForm.objects.get()
    assert (row.frequency, row.numbers, row.every, row.supervisor) == ("once", "", 0, None)


def test_sentences_that_anybody_in_the_office_understands(plan, clinic, adam):
    plan(age_band="adult")
    plan("wai-sr", **AT_3_AND_9)
    plan("phq-8", moment="start", frequency="weeks", every=4)
    plan("gad-7", frequency="sessions", every=3, for_whom="team", supervisor=str(clinic.sina.pk))
    plan("caregiver-session-rating", age_band="child", **AT_EACH_END)
    plan("child-session-rating", age_band="child", **AS_RATING)
    plan("life-lines", moment="ending", frequency="once", for_whom="therapists",
         therapists=[str(clinic.olga.pk), str(clinic.carl.pk)])  # fmt: skip
    said = text(adam.get(LIST))
    for sentence in (
        "Every adult client: Life lines at the start of each session.",
        "Every client: WAI-SR at the end of sessions 3 and 9.",
        "Every client: PHQ-8 every 4 weeks, at the start of a session.",
        "Every client in the team of Sina: GAD-7 at the start of every third session.",
        "Every child from 6 to 12: Caregiver session rating, filled in by a caregiver, at the end of each session.",
        "Every child from 6 to 12: sessions are rated on Child session rating.",
        "at the last session, when the course ends.",
    ):
        assert sentence in said
    assert (
        "No licence to use WAI-SR on screens is on record. Until then it is not asked for on a device."
        in said
    )


def test_a_form_that_is_not_made_for_the_age_is_said(plan, adam):
    plan("child-session-rating", age_band="adult", **AS_RATING)
    assert "Child session rating is made for ages 6-12." in text(adam.get(LIST))


def test_a_child_whom_a_plan_for_any_age_would_ask_an_adults_form_is_said_before_it_is_saved(
    adam, clinic, plan
):
    caution = "Life lines is made for ages 13+, and this asks clients of 6 to 12 too. Choose an age."
    typed = opened(adam, ADD, **LIFE, step="preview")
    assert caution not in text(adam.post(ADD, typed))
    Client.objects.filter(pk=clinic.olgas.client_id).update(age_band="child")
    assert caution in text(adam.post(ADD, typed))
    # Of the therapists who are meant alone.
    for_carl = {**typed, "for_whom": "therapists", "therapists": [str(clinic.carl.pk)]}
    assert caution not in text(adam.post(ADD, for_carl))
    assert caution not in text(adam.post(ADD, {**typed, "age_band": "adult"}))
    plan("life-lines")
    assert caution in text(adam.get(LIST))


def test_words_that_are_nobodys_are_called_so_in_the_plan(adam, clinic, plan):
    inventories.loaded(clinic.adam, "wai-sr", edition="Invented words")
    plan("wai-sr", moment="end")
    assert "The words of WAI-SR are invented, for a try-out: give them to no client." in text(adam.get(LIST))


def test_the_page_names_what_cannot_be_given_and_why(adam):
    said = text(adam.get(ADD))
    assert "WAI-SR : No licence to use WAI-SR on screens is on record." in said
    assert (
        "PHQ-9 : PHQ-9 asks about self-harm. An administrator first has to read and confirm what the site does"
        in said
    )


class TestAnotherScaleForSome:
    def test_for_children(self, adam):
        address = f"{ADD}?what=scale"
        typed = opened(adam, address, instrument="child-session-rating", age_band="child", for_whom="clinic")
        assert "sessions are rated on Child session rating" in text(
            adam.post(address, {**typed, "step": "preview"})
        )
        adam.post(address, {**typed, "step": "save"})
        assert PlannedForm.objects.get().is_rating

    def test_for_everybody_it_is_a_setting(self, adam):
        address = f"{ADD}?what=scale"
        typed = opened(adam, address, instrument="srs", for_whom="clinic", step="save")
        assert "chosen under Settings" in text(adam.post(address, typed))

    def test_of_two_for_the_same_people_one_stands(self, plan):
        plan("child-session-rating", age_band="child", **AS_RATING)
        with pytest.raises(Refused, match="another session scale is planned already"):
            plan("child-srs", age_band="child", **AS_RATING)


class TestChange:
    def test_it_ends_the_row_and_adds_the_next(self, adam, plan):
        row = plan()
        address = reverse("plan:change", args=[row.code])
        typed = opened(adam, address, **LIFE | {"moment": "end"})
        said = text(adam.post(address, {**typed, "step": "preview"}))
        assert "Now: Every client: Life lines at the start of each session." in said
        adam.post(address, {**typed, "step": "save"})
        new = PlannedForm.objects.standing().get()
        assert (new.replaces, new.moment) == (row, "end")
        adam.post(reverse("plan:undo", args=[new.code]))
        adam.post(reverse("plan:undo", args=[new.code]))  # pressed twice
        assert PlannedForm.objects.standing().get().moment == "start"

    def test_saved_without_a_change_nothing_is_written(self, adam, plan):
        address = reverse("plan:change", args=[plan().code])
        said = text(adam.post(address, opened(adam, address, **LIFE, step="save"), follow=True))
        assert ("Nothing was changed." in said, PlannedForm.objects.count()) == (True, 1)

    def test_only_for_others_it_is_due_since_the_same_day(self, plan, clinic):
        row = plan()
        new = plan_actions.change_planned(planned=row, by=clinic.adam, **{**row.says, "age_band": "adult"})
        assert new.since == row.since

    def test_one_that_was_ended_meanwhile_is_said(self, adam, plan, clinic):
        row = plan()
        address = reverse("plan:change", args=[row.code])
        typed = opened(adam, address, **LIFE | {"moment": "end"}, step="save")
        plan_actions.end_planned(planned=row, by=clinic.adam)
        answer = adam.post(address, typed)
        assert (answer.status_code, plan_actions.OVER in text(answer)) == (422, True)
        assert adam.get(address).url == LIST


class TestTakeOut:
    def test_it_says_what_is_not_asked_any_more_and_has_a_way_back(self, adam, plan, clinic):
        cast.rated_course(clinic.olgas, [380, 380])
        row = plan()
        address = reverse("plan:end", args=[row.code])
        assert "Minutes a session 2 1" in text(adam.get(address))
        adam.post(address, opened(adam, address))
        assert not PlannedForm.objects.standing().exists()
        for _ in range(2):
            adam.post(reverse("plan:put_back", args=[row.code]))
        assert PlannedForm.objects.standing().get().says == row.says

    def test_one_that_was_changed_meanwhile_is_not_taken_out_unseen(self, adam, plan, clinic):
        row = plan()
        address = reverse("plan:end", args=[row.code])
        typed = opened(adam, address)
        plan_actions.change_planned(planned=row, by=clinic.adam, **{**row.says, "moment": "end"})
        answer = adam.post(address, typed)
        assert (answer.status_code, "not in the plan any more" in text(answer)) == (422, True)
        assert PlannedForm.objects.standing().get().moment == "end"

    def test_undo_works_for_ten_minutes_and_later_it_is_planned_again(self, adam, plan, clinic, monkeypatch):
        row = plan()
        plan_actions.end_planned(planned=row, by=clinic.adam)
        later = timezone.now() + timedelta(minutes=11)
        monkeypatch.setattr("django.utils.timezone.now", lambda: later)
        with pytest.raises(Refused, match="Undo works for 10 minutes"):
            plan_actions.put_back(planned=row, by=clinic.adam)
        again = f"{ADD}?again={row.code}"
        assert 'value="life-lines" selected' in adam.get(again).content.decode()


def test_only_an_administrator_plans(clinic, sign_in, plan):
    row = plan()
    for person in (clinic.olga, clinic.sina, clinic.carl, clinic.strange):
        client = sign_in(person)
        for address in (
            LIST,
            ADD,
            reverse("plan:change", args=[row.code]),
            reverse("plan:end", args=[row.code]),
        ):
            assert client.get(address).status_code in {403, 404}
            assert client.post(address, {**LIFE, "step": "save"}).status_code in {403, 404}
    assert PlannedForm.objects.count() == 1


def test_the_page_shows_no_client_and_no_reason_of_a_therapist(adam, plan, course):
    plan()
    course.give(moment="end", why="She cries at the start")
    said = text(adam.get(LIST))
    assert "Therapists chose something else for 1 client." in said
    assert "K-1" not in said
    assert "cries" not in said


def test_3_and_30_clients_ask_the_same_number_of_queries(adam, plan, clinic, django_assert_max_num_queries):
    plan()
    plan("wai-sr", **AT_3_AND_9)
    plan("child-session-rating", age_band="child", **AS_RATING)
    adam.get(LIST)
    counts = []
    for clients in (3, 30):
        while Client.objects.count() < clients:
            cast.therapy_session(cast.episode(clinic.olga, f"K-{200 + Client.objects.count()}"))
        with django_assert_max_num_queries(40) as queries:
            assert adam.get(LIST).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_forms_to_choose_from_are_grouped_by_whether_and_by_whom_they_can_be_filled_in(clinic, sign_in):
    page = sign_in(clinic.adam).get(reverse("plan:add"))
    groups = dict(page.context["form"].fields["instrument"].choices[1:])
    named = {name: [value for value, _ in choices] for name, choices in groups.items()}
    assert {"life-lines", "phq-8", "gad-7"} <= set(named["Ready to give"])
    assert "caregiver-session-rating" in named["Filled in by somebody else than the client"]
    assert {"wai-sr", "phq-9"} <= set(named["Needs a wording, a licence or a confirmation first"])
    assert page.text.count("<optgroup ") == len(groups) == 3
    for choices in groups.values():  # by name, so that its first letters lead to a form
        names = [label.split(" (")[0].casefold() for _, label in choices]
        assert names == sorted(names)
