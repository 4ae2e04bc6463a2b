"""A clinic that uses none of groups, other raters, questionnaires and guesses sees nothing of them, and finds them."""

import pytest
from django.urls import reverse

from alliance.measurement import instruments
from sessions_app.courses.raters import Rater
from sessions_app.groups import group_actions
from sessions_app.intake import guess_actions, hand_over_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.records import sheets
from sessions_app.records.forms import ExportForm
from tests import cast

pytestmark = pytest.mark.django_db
SETTINGS, ACCOUNT, PROMISES, EXPORT, COLUMNS = (
    reverse(name)
    for name in (
        "settings:change",
        "account_security",
        "settings:promises",
        "exports:export",
        "exports:columns",
    )
)
CAREGIVER = f"{reverse('settings:change_promise')}?rater=caregiver"


def sheets_named(user):
    (_, _whole), (_, single) = ExportForm(user=user).fields["what"].choices
    return {name for name, _ in single}


def test_a_fresh_clinic_sees_nothing_of_it(clinic, sign_in):
    olga = sign_in(clinic.olga)
    assert "Guess first" not in olga.get(ACCOUNT).text
    assert not sheets.IF_USED & sheets_named(clinic.olga)
    for page in (olga.get(EXPORT), olga.get(COLUMNS)):
        assert not {name for name in sheets.IF_USED if name in page.text}
    adam = sign_in(clinic.adam)
    promises = adam.get(PROMISES).text
    assert "A client reads" in promises
    assert not [who for who in ("caregiver", "observer", "therapist who") if who in promises.lower()]
    choices = dict(adam.get(SETTINGS).context["form"].fields["instrument"].choices)
    assert not [name for name in choices.values() if "Group" in name or "family" in name]
    listed = adam.get(SETTINGS).text.split('id="rules-title"')[1].split("</section>")[0]
    assert "Group" not in listed


def test_the_settings_lead_to_each_part_that_nobody_uses(clinic, sign_in):
    page = sign_in(clinic.adam).get(SETTINGS)
    offered = page.text.split('id="unused-title"')[1]
    for address in (reverse("groups:new"), reverse("plan:list"), CAREGIVER.replace("&", "&amp;")):
        assert f'href="{address}"' in offered
        assert sign_in(clinic.adam).get(address).status_code == 200
    assert f"http://testserver{reverse('dashboard:guesses')}" in offered


def test_what_is_used_is_seen_where_it_belongs_and_is_offered_no_more(clinic, sign_in):
    group_actions.make_group(
        name="Thursday", kind="group", leader=clinic.olga, co_leader=None, by=clinic.adam
    )
    sign_in(clinic.olga).post(reverse("dashboard:choose_guessing"), {"guess": "on"})
    forms = Forms(False, (ToFillIn(instruments.get("caregiver-session-rating"), Rater.CAREGIVER),))
    hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga, forms=forms)
    assert "Guess first" in sign_in(clinic.carl).get(ACCOUNT).text
    adam = sign_in(clinic.adam)
    assert "A caregiver reads" in adam.get(PROMISES).text
    assert "An observer reads" not in adam.get(PROMISES).text
    offered = adam.get(SETTINGS).text.split('id="unused-title"')[1]
    assert "New group" not in offered
    assert "Guess first" not in offered
    assert ">observer<" in offered
    assert ">caregiver<" not in offered


def test_guesses_that_were_made_stay_in_sight_when_the_last_one_switches_guessing_off(clinic, sign_in):
    guess_actions.choose_guessing(on=True, by=clinic.olga)
    session = cast.therapy_session(clinic.olgas)
    guess_actions.guess(session=session, answers=cast.answers(300), by=clinic.olga)
    guess_actions.choose_guessing(on=False, by=clinic.olga)
    assert reverse("dashboard:guesses") in sign_in(clinic.olga).get(ACCOUNT).text
    assert "Guess first" not in sign_in(clinic.adam).get(SETTINGS).text.split('id="unused-title"')[1]
