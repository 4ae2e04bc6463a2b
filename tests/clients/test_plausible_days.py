"""One rule for every day that a person writes down: in forms, in actions, and in the database."""

from datetime import date, datetime, timedelta

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.urls import get_resolver
from django.utils import timezone

from alliance.refused import Refused
from clients import actions, cover_actions, day_actions, supervision_actions
from clients.log_forms import LogSearch
from clients.models import Cover, EarlierCourseConsent, Episode, Supervision
from clients.plausible_days import A_YEAR, FIFTY_YEARS, NOT_AHEAD, PlausibleDay, implausible
from tests import cast

TODAY = timezone.localdate
TOO_EARLY, TOO_LATE = date(1989, 12, 31), date(3026, 1, 1)
# A search for days on which nothing was finds nothing.
SEARCHES = {"LogSearch", "DaysSearch", "PeriodForm"}
DATES = (forms.DateField, forms.DateTimeField)


def forms_of_staff():
    assert get_resolver().url_patterns  # every page is loaded, and every form with it
    found, waiting = [], [forms.BaseForm]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith(("clients", "sessions_app", "alliance")):
                found.append(kind)
    return found


def date_fields():
    return [
        (f"{kind.__name__}.{name}", field)
        for kind in forms_of_staff()
        for name, field in getattr(kind, "base_fields", {}).items()
        if isinstance(field, DATES) and kind.__name__ not in SEARCHES
    ]


def test_every_date_field_of_every_form_of_staff_has_the_one_rule():
    fields = dict(date_fields())
    assert {"RegisterForm.opened_on", "CloseForm.closed_on", "SessionForm.held_at", "CoverForm.ends_on"} <= {
        *fields
    }
    assert len(fields) >= 12
    for name, field in fields.items():
        assert any(isinstance(one, PlausibleDay) for one in field.validators), name
        for day in ("1989-12-31", "0206-03-01", "3026-01-01"):
            with pytest.raises(ValidationError):
                field.clean(day if isinstance(field, forms.DateField) else f"{day}T10:00")
        field.clean("2026-03-02" if isinstance(field, forms.DateField) else "2026-03-02T10:00")


def test_a_search_takes_any_day():
    search = LogSearch({"since": "0206-01-01", "until": "3026-01-01"})
    search.is_valid()
    assert not {"since", "until"} & {*search.errors}


@pytest.mark.parametrize(
    ("day", "ahead", "said"),
    [
        (TOO_EARLY, A_YEAR, "is before 1990. Look at the year."),
        (date(1990, 1, 1), A_YEAR, ""),
        (TODAY(), NOT_AHEAD, ""),
        (TODAY() + timedelta(days=1), NOT_AHEAD, "is still to come."),
        (TODAY() + timedelta(days=366), A_YEAR, ""),
        (TODAY() + timedelta(days=367), A_YEAR, "is more than a year ahead. Look at the year."),
        (TODAY() + timedelta(days=20000), FIFTY_YEARS, "is more than 50 years ahead. Look at the year."),
    ],
)
def test_what_is_plausible_and_what_is_said(day, ahead, said):
    assert implausible(day, ahead=ahead) == said


@pytest.mark.django_db
@pytest.mark.parametrize("day", [TOO_EARLY, TOO_LATE])
def test_actions_hold_to_it_past_every_form(clinic, day):
    one = Supervision.objects.get(therapist=clinic.olga)
    client, olga, adam = clinic.olgas.client, clinic.olga, clinic.adam
    for write in (
        lambda: actions.open_episode(client=client, therapist=clinic.carl, opened_on=day, by=adam),
        lambda: actions.close_episode(episode=clinic.olgas, closed_on=day, ending="planned", by=olga),
        lambda: cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=day, by=adam),
        lambda: supervision_actions.start_supervision(
            supervisor=clinic.sina, therapist=clinic.carl, starts_on=day, by=adam
        ),
        lambda: supervision_actions.end_supervision(supervision=one, last_day=day, by=adam),
        lambda: day_actions.correct_days(episode=clinic.olgas, opened_on=day, why="x", by=olga),
        lambda: day_actions.correct_supervision(supervision=one, starts_on=day, why="x", by=adam),
        lambda: cover_actions.start(
            episodes=[clinic.olgas], colleague=clinic.carl, starts_on=day, ends_on=day, by=olga
        ),
    ):
        with pytest.raises(Refused, match=r"is before 1990|is still to come|is more than a year ahead"):
            write()


@pytest.mark.django_db
def test_the_database_holds_to_it_past_every_action(clinic):
    together = {"made_together": clinic.olgas.code, "made_by": clinic.olga, "colleague": clinic.carl}
    Cover.objects.create(episode=clinic.olgas, starts_on=TODAY(), ends_on=TODAY(), **together)
    EarlierCourseConsent.objects.create(
        earlier=clinic.carls, episode=clinic.olgas, given_on=TODAY(), recorded_by=clinic.olga
    )
    session = cast.therapy_session(clinic.olgas)
    for rows, field in (
        (Episode.objects.all(), "opened_on"),
        (Supervision.objects.all(), "starts_on"),
        (Cover.objects.all(), "starts_on"),
        (EarlierCourseConsent.objects.all(), "given_on"),
        (type(session).objects.all(), "held_at"),
    ):
        is_day = isinstance(rows.model._meta.get_field(field), models.DateField) and field != "held_at"
        day = date(1989, 12, 30) if is_day else timezone.make_aware(datetime(1989, 12, 30, 12))
        with pytest.raises(IntegrityError, match=r"plausible|CHECK"), transaction.atomic():
            rows.update(**{field: day})


def test_every_day_that_a_person_writes_down_is_known_here():
    """A new column of a day fails here until somebody says where its rule is."""
    known = {
        "Supervision.starts_on": "plausible",
        "Supervision.ends_on": "not before starts_on",
        "Episode.opened_on": "plausible",
        "Episode.closed_on": "not before opened_on",
        "DayCorrection.was": "what stood",
        "DayCorrection.becomes": "in the form",
        "CaseloadTransfer.on": "the closing day of its episodes",
        "Cover.starts_on": "plausible",
        "Cover.ends_on": "not before starts_on",
        "EarlierCourseConsent.given_on": "plausible",
        "Licence.valid_to": "in the form",
        "Agenda.held_on": "plausible",
        "SupervisionTalk.held_on": "plausible",
        "SupervisionTalkChange.held_on": "what stood",
        "ProcessDay.day": "written by the site",
        "GroupMember.joined_on": "today, written by the site",
        "GroupMember.left_on": "today, written by the site",
        "PlannedForm.since": "today, written by the site",
        "InstrumentPack.dated": "in the pack’s file",
    }
    days = {
        f"{model.__name__}.{field.name}"
        for label in ("alliance", "clients", "sessions_app")
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.fields
        if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)
    }
    assert days == {*known}
