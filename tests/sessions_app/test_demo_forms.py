"""What the demo shows of forms beside the session rating, and at whom; the others have the plain product."""

from datetime import timedelta
from itertools import combinations

import pytest

from alliance.measurement.alliance_and_outcome import Case
from alliance.models import AuditEvent, User
from clients.models import Episode
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.dashboards import alliance_and_outcome_page
from sessions_app.demo import newcomers
from sessions_app.flags.models import Flag
from sessions_app.groups.models import Group, GroupAttendance
from sessions_app.groups.numbers import are_alike
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.plans import which_forms
from sessions_app.plans.models import PlannedForm
from sessions_app.questionnaires import guess_pairs
from sessions_app.questionnaires.guesses import Guess


def therapist(name):
    return User.objects.get(email=f"{name}@demo.example")


def answers(form):
    return QuestionnaireResponse.objects.standing().filter(instrument=form)


# --- The outcome companion ---------------------------------------------------------------------------


def test_there_is_a_client_for_each_of_the_four_cases(seeded):
    jonas = therapist("jonas")
    pages = [
        alliance_and_outcome_page.read(episode, seeded, is_own=True)
        for episode in Episode.objects.open().own(jonas).select_related("client", "therapist")
    ]
    told = {page.said.case for page in pages if page.said and page.said.case != Case.CANNOT_TELL}
    assert told == {Case.CARRY_ON, Case.ALLIANCE_FIRST, Case.METHOD_OR_GOALS, Case.ASK}
    long_enough = [page for page in pages if page.series and len(page.series.counting) >= 5]
    assert len(long_enough) >= 6


def test_life_lines_are_marked_at_the_start_of_a_session(seeded):
    found = list(answers("life-lines").select_related("session", "grant"))
    assert len(found) >= 80
    for one in found:
        assert one.session.held_at < one.received_at < one.session.held_at + timedelta(minutes=10)


def test_what_is_answered_is_what_the_plan_asked_for(seeded):
    """No form is late that was answered in its time: the plan of the demo is one that was kept."""
    jonas = therapist("jonas")
    planned = TherapySession.objects.own(jonas).filter(held_at__gte=seeded).select_related("episode__client")
    due = which_forms.due(list(planned), seeded)
    assert any(one.instrument.id == "life-lines" for forms in due.values() for one in forms.at_the_start)
    named = {one.instrument.id for forms in due.values() for one in forms.due}
    assert named <= {"life-lines", "gad-7", "wai-sr"}
    assert not any(one.obstacle for forms in due.values() for one in forms.due)


# --- The inventory -----------------------------------------------------------------------------------


def test_the_inventory_says_in_every_part_that_it_is_invented(seeded):
    (wording,) = ClinicWording.objects.all()
    for part in (wording.edition, wording.title, wording.introduction, wording.wording.copyright):
        assert "invented" in part.lower()
    assert "invented" in Licence.objects.get().holder
    assert len(wording.items) == 12
    assert answers("wai-sr").count() >= 15
    assert not answers("wai-sr").exclude(wording=wording).exists()


def test_the_inventory_comes_after_the_rating_in_the_same_hand_over(seeded):
    for one in answers("wai-sr").select_related("grant"):
        before = RatingGrant.every.get(form_set=one.grant.form_set, place_in_set=0)
        assert before.is_of_the_alliance
        assert before.rating.received_at < one.received_at


# --- A child, a mother, a group, guesses -------------------------------------------------------------


def test_a_child_marks_faces_and_the_mother_rates_by_link(seeded):
    child = Episode.objects.get(client__label=newcomers.CHILD)
    assert which_forms.alliance_form(child).id == "child-session-rating"
    marked = Rating.objects.filter(session__episode=child)
    assert set(marked.values_list("instrument", flat=True)) == {"child-session-rating"}
    said = QuestionnaireResponse.objects.standing().filter(session__episode=child)
    assert said.count() == 3
    for one in said:
        assert (one.rater, one.rater_label, one.grant.channel) == (Rater.CAREGIVER, "mother", Channel.PHONE)


def test_a_group_of_five_has_two_leaders_and_one_who_falls_away(seeded):
    group = Group.objects.get()
    assert [one.email for one in group.leaders] == ["aisha@demo.example", "jonas@demo.example"]
    assert group.members.count() == 5
    there = GroupAttendance.objects.filter(group_session__group=group)
    of_group = Rating.objects.standing().filter(session__in_group__in=there)
    assert of_group.count() == there.count() == 38
    assert set(of_group.values_list("instrument", flat=True)) == {"group-session-rating"}
    falling = Flag.objects.standing().filter(session__in_group__in=there, rule="J")
    assert {one.session.episode.client.label for one in falling} == {"K-224"}


def test_no_number_of_a_member_is_a_slip_of_another():
    assert not any(are_alike(one, other) for one, other in combinations(newcomers.NUMBERS, 2))


def test_one_therapist_has_guessed_often_enough_for_an_interval(seeded):
    aisha = therapist("aisha")
    assert aisha.guesses_first
    read = guess_pairs.read(aisha)
    assert read.figures.sessions >= 10
    assert read.figures.low is not None
    for guess in Guess.objects.select_related("session"):
        assert guess.made_at < guess.session.ratings.get().received_at
    assert not Guess.objects.exclude(therapist=aisha).exists()


# --- And nobody else ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mara", "tomasz", "clara", "daniel"])
def test_the_other_therapists_have_the_plain_product(seeded, name, client):
    person = therapist(name)
    sessions = TherapySession.objects.own(person)
    assert not QuestionnaireResponse.objects.filter(session__in=sessions).exists()
    assert not Group.objects.visible_to(person).exists()
    assert not person.guesses_first
    coming = list(sessions.filter(held_at__gte=seeded).select_related("episode__client"))
    assert not any(forms.due or forms.at_the_ending for forms in which_forms.due(coming, seeded).values())
    client.force_login(person)
    pages = [client.get("/dashboard/").content.decode(), client.get("/clients/").content.decode()]
    for episode in Episode.objects.open().own(person)[:2]:
        pages.append(client.get(f"/dashboard/clients/{episode.code}/").content.decode())
    for page in pages:
        for word in ("Life lines", "GAD-7", "WAI-SR", "nvented", "Evening group", "uess"):
            assert word not in page, word


def test_what_is_beside_the_ratings_is_in_the_log(seeded):
    events = AuditEvent.objects
    assert events.filter(action="questionnaire answered").count() == QuestionnaireResponse.objects.count()
    assert events.filter(action="guess made").count() == Guess.objects.count()
    assert events.filter(action="link made for another").count() == 3
    assert events.filter(action="group joined").count() == 5
    in_plan = events.filter(action__in=["form planned", "forms of client changed"])
    assert in_plan.count() == PlannedForm.objects.count() == 8
    handed_over = RatingGrant.every.filter(rater=Rater.CLIENT, place_in_set=0).count()
    assert events.filter(action="handed over").count() == handed_over
