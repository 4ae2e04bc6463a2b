"""A query that is put together once asks with the values of each time."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from django.db.models import Exists, OuterRef
from django.utils import timezone

from alliance.models import BrowserSession, User
from alliance.prepared import Prepared, PreparedKeys, PreparedValues
from alliance.session_store import SessionStore
from clients.models import Episode

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


def test_columns_come_as_django_itself_would_give_them(clinic, sign_in, django_assert_num_queries):
    """UUIDs, moments and truths have to be made of what SQLite stores."""
    sign_in(clinic.olga)

    def written(email, until):
        return signed_in_since(email, until).values_list("is_there", "pk", "joined_at", "name")

    query = PreparedValues(written, email=str, until=datetime)
    for email in (clinic.olga.email, clinic.carl.email, "nobody@clinic.example"):
        with django_assert_num_queries(1):
            rows = query.rows(email=email, until=timezone.now())
        assert rows == list(written(email, timezone.now()))
        assert [[type(value) for value in row] for row in rows] == [
            [type(value) for value in row] for row in written(email, timezone.now())
        ]


def test_a_number_goes_into_its_place_and_into_no_other(clinic):
    query = Prepared(
        lambda episode, other: Episode.objects.filter(pk__in=[episode, other]), episode=int, other=int
    )
    olgas, carls = clinic.olgas, clinic.carls
    assert query.rows(episode=olgas.pk, other=0) == [olgas]
    assert {row.pk for row in query.rows(episode=carls.pk, other=olgas.pk)} == {olgas.pk, carls.pk}
    assert query.rows(episode=0, other=0) == []


def test_keys_stand_behind_in_within_other_queries(clinic):
    def active_since(user, day):
        return User.objects.filter(pk=user, joined_at__date__lte=day).order_by().values("pk")

    keys = PreparedKeys(active_since, user=UUID, day=date)
    today, long_ago = timezone.localdate(), date(2001, 1, 1)
    for user in (clinic.olga, clinic.carl):
        inner = keys.of(user=user.pk, day=today)
        assert list(User.objects.filter(pk__in=inner)) == [user]
        assert user not in User.objects.exclude(pk__in=inner)
        assert not User.objects.filter(pk__in=keys.of(user=user.pk, day=long_ago)).exists()


def test_keys_may_stand_in_a_query_that_is_put_together_once_itself(clinic):
    keys = PreparedKeys(lambda user: User.objects.filter(pk=user).values("pk"), user=UUID)
    query = Prepared(lambda user: User.objects.filter(pk__in=keys.of(user=user)), user=UUID)
    for user in (clinic.olga, clinic.carl):
        assert query.rows(user=user.pk) == [user]


def test_a_session_is_read_with_its_person(clinic, sign_in):
    held = SessionStore(sign_in(clinic.olga).session.session_key)
    assert held["_auth_user_id"] == str(clinic.olga.pk)
    assert (held.person, held.person.holds_second_factor) == (clinic.olga, False)
