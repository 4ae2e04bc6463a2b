"""What the database itself refuses, whatever the code above it believes."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from alliance.models import User
from clients.models import Episode, Supervision
from tests import cast

pytestmark = pytest.mark.django_db


def refused_by_the_database(rows, **values):
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(**values)


def test_an_episode_is_closed_with_an_ending_and_not_before_it_opened(clinic):
    rows = Episode.objects.filter(pk=clinic.olgas.pk)
    day = cast.STARTED
    refused_by_the_database(rows, closed_on=day)
    refused_by_the_database(rows, ending="planned")
    refused_by_the_database(rows, closed_on=day - timedelta(days=1), ending="planned")
    refused_by_the_database(rows, closed_on=day, ending="forgotten")
    rows.update(closed_on=day, ending="planned")


def test_a_pair_has_one_open_episode_and_any_number_of_closed_ones(clinic):
    pair = {"client": clinic.olgas.client, "therapist": clinic.olga, "opened_on": cast.STARTED}
    with pytest.raises(IntegrityError), transaction.atomic():
        Episode.objects.create(**pair)
    for _ in range(2):
        Episode.objects.create(**pair, closed_on=cast.STARTED, ending="planned")


def test_a_supervision_is_of_another_person_and_ends_after_it_starts(clinic):
    rows = Supervision.objects.filter(supervisor=clinic.sina)
    refused_by_the_database(rows, therapist=clinic.sina)
    refused_by_the_database(rows, ends_on=cast.STARTED - timedelta(days=1))
    rows.update(ends_on=cast.STARTED)


def test_a_pair_has_one_open_supervision(clinic):
    with pytest.raises(IntegrityError), transaction.atomic():
        Supervision.objects.create(
            supervisor=clinic.sina, therapist=clinic.olga, starts_on=cast.STARTED + timedelta(days=9)
        )


def test_one_address_is_one_person_whatever_the_case(clinic):
    refused_by_the_database(User.objects.filter(pk=clinic.carl.pk), email=clinic.olga.email.upper())
