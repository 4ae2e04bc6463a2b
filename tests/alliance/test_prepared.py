"""A query that is put together once asks with the values of each time."""

from datetime import datetime, timedelta

import pytest
from django.db.models import Exists, OuterRef
from django.utils import timezone

from alliance.models import BrowserSession, User
from alliance.prepared import Prepared
from alliance.session_store import SessionStore

pytestmark = pytest.mark.django_db


def signed_in_since(email, until):
    sessions = BrowserSession.objects.filter(person=OuterRef("pk"), expire_date__gt=until)
    return User.objects.filter(email=email).annotate(is_there=Exists(sessions))


@pytest.fixture
def query():
    return Prepared(signed_in_since, email=str, until=datetime)


def test_each_time_with_other_values_as_django_itself_would(
    clinic, query, sign_in, django_assert_num_queries
):
    sign_in(clinic.olga)
    now = timezone.now()
    for email in (clinic.olga.email, clinic.carl.email, "nobody@clinic.example", "100% 'quoted'"):
        for until in (now, now + timedelta(days=1)):
            with django_assert_num_queries(1):
                prepared = query.first(email=email, until=until)
            written = signed_in_since(email, until).first()
            assert prepared == written
            assert prepared is None or bool(prepared.is_there) == written.is_there
    assert query.first(email=clinic.olga.email, until=now).is_there


def test_the_row_is_whole(clinic, query):
    row = query.first(email=clinic.olga.email, until=timezone.now())
    assert (row.pk, row.joined_at, row.is_therapist) == (clinic.olga.pk, clinic.olga.joined_at, True)


def test_a_value_that_would_stay_as_it_was_the_first_time_is_refused():
    query = Prepared(lambda email: User.objects.filter(email=email.upper()), email=str)
    with pytest.raises(TypeError, match="does not ask for email"):
        query.first(email="x")


def test_a_session_is_read_with_its_person(clinic, sign_in):
    held = SessionStore(sign_in(clinic.olga).session.session_key)
    assert held["_auth_user_id"] == str(clinic.olga.pk)
    assert (held.person, held.person.holds_second_factor) == (clinic.olga, False)
