"""The site's own role in PostgreSQL: it works with rows, and cannot touch what protects them."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from alliance import key_rotation
from alliance.append_only import APPEND_ONLY, GOES_WITH_A_CLIENT
from alliance.erasures import Erasure
from alliance.models import Role
from alliance.operations import checks_of_site_role, maintenance, site_role
from alliance.operations.findings import State
from sessions_app.courses.models import Rating
from sessions_app.flags import discussion_actions
from sessions_app.records import erasure_actions
from tests import cast
from tests.site_role import ROLE, left

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]
DENIED = "permission denied|must be owner"


def run(sql):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def course(clinic):
    """A rating that was talked about, and what was said put otherwise."""
    session = cast.therapy_session(clinic.olgas)
    rating = cast.rating(session, 330)
    note = discussion_actions.discuss(flags=session.flags.all(), said="x", agreed="", by=clinic.olga)
    discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga)
    return rating


def test_the_tests_run_as_it():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (ROLE,)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE sessions_app_rating SET session_id = session_id",
        "UPDATE alliance_auditevent SET actor = NULL",
        "DELETE FROM alliance_auditevent",
        "UPDATE alliance_auditseal SET hash = hash",
        "UPDATE sessions_app_discussionchange SET id = id",
        "UPDATE alliance_erasure SET asked_by = client",
        "DELETE FROM alliance_erasure",
        "TRUNCATE sessions_app_rating CASCADE",
        "TRUNCATE alliance_auditevent",
        "TRUNCATE clients_client CASCADE",
        "ALTER TABLE sessions_app_rating DISABLE TRIGGER ALL",
        "ALTER TABLE sessions_app_rating DISABLE TRIGGER sessions_app_rating_append_only",
        "DROP TRIGGER sessions_app_rating_append_only ON sessions_app_rating",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$",
        "CREATE TRIGGER another BEFORE UPDATE ON sessions_app_flag EXECUTE FUNCTION refuse_change()",
        "SET LOCAL session_replication_role = replica",
        "ALTER TABLE sessions_app_rating ADD COLUMN x integer",
        "DROP TABLE sessions_app_rating",
        "CREATE TABLE x (id integer)",
        "CREATE SCHEMA x",
        "CREATE TEMPORARY TABLE alliance_erasure (id integer)",
        "DELETE FROM django_migrations",
    ],
)
def test_a_superuser_in_disguise_alters_a_rating_a_history_or_a_log_line_by_sql(course, sql):
    with pytest.raises(DatabaseError, match=DENIED):
        run(sql)


@pytest.mark.parametrize(
    "change", ["DELETE FROM sessions_app_rating", "UPDATE sessions_app_rating SET total = 0"]
)
def test_marks_are_deleted_or_emptied_by_sql_without_an_erasure(course, change):
    """The role may delete, and empty what holds marks, for erasures; the trigger asks for one."""
    with pytest.raises(DatabaseError, match="append-only"):
        run(change)
    assert Rating.objects.get().total == 330


def test_control_a_temporary_table_would_pose_as_the_permit_of_an_erasure(course):
    """Why the role may make none: a trigger would look into it first."""
    with left():
        run(f"GRANT TEMPORARY ON DATABASE {connection.settings_dict['NAME']} TO {ROLE}")
    assert site_role.differences(ROLE) == [f"{ROLE} may make temporary tables."]
    run(f"SET ROLE {ROLE}")
    rating_is_deleted_with_a_permit_of_ones_own()


def rating_is_deleted_with_a_permit_of_ones_own():
    before = transaction.savepoint()
    run("CREATE TEMPORARY TABLE alliance_erasure AS SELECT 1 AS id, code AS client, now() AS confirmed_at"
        " FROM clients_client")  # fmt: skip
    run("CREATE TEMPORARY TABLE alliance_erasurepermit AS SELECT 1 AS erasure_id")
    run("SET CONSTRAINTS ALL DEFERRED")
    run("DELETE FROM sessions_app_rating")
    assert Rating.objects.count() == 0
    transaction.savepoint_rollback(before)


def test_an_erasure_by_two_people_works_as_the_sites_role(clinic, course):
    client = clinic.olgas.client
    erasure = erasure_actions.ask(client=client, reason="asked", note="", by=clinic.adam)
    erasure_actions.confirm(erasure=erasure, by=cast.person("Ada", Role.ADMINISTRATOR))
    assert (Rating.objects.count(), Erasure.objects.done().count()) == (0, 1)


def test_keys_are_rotated_as_the_sites_role(clinic, course, settings):
    cast.rating(cast.therapy_session(clinic.olgas), 380, comment="Too fast.")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-" + "1" * 60, [settings.SECRET_KEY]
    older = key_rotation.count_words().older
    assert older > 0
    call_command("rotate_keys")
    assert key_rotation.count_words() == key_rotation.Counts(newest=older)


# --- What it may do, compared ---------------------------------------------------------------------


def test_what_it_may_do_is_what_is_declared():
    assert site_role.differences(ROLE) == []
    declared = {grant.table: grant for grant in site_role.grants(connection)}
    assert set(APPEND_ONLY) <= set(declared)
    for table in APPEND_ONLY:
        assert "UPDATE" not in declared[table].privileges
        assert ("DELETE" in declared[table].privileges) == (table in GOES_WITH_A_CLIENT)
    assert declared["alliance_auditevent"].privileges == {"SELECT", "INSERT"}
    assert declared["cache"].privileges == {"SELECT", "INSERT", "UPDATE", "DELETE"}


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        (f"GRANT UPDATE ON alliance_auditevent TO {ROLE}", "may UPDATE on alliance_auditevent."),
        ("GRANT TRUNCATE ON sessions_app_rating TO PUBLIC", "may TRUNCATE on sessions_app_rating."),
        (f"GRANT UPDATE (id) ON sessions_app_rating TO {ROLE}", "may change id in sessions_app_rating."),
        (f"REVOKE INSERT ON clients_client FROM {ROLE}", "may not INSERT on clients_client, which the site needs."),
        (f"GRANT CREATE ON SCHEMA public TO {ROLE}", "may make tables."),
    ],
)  # fmt: skip
def test_a_right_too_many_or_too_few_is_named_and_put_right(sql, sentence):
    with left():
        run(sql)
        assert site_role.differences(ROLE) == [f"{ROLE} {sentence}"]
        site_role.grant_to(ROLE)
        assert site_role.differences(ROLE) == []


def test_a_role_that_owns_the_tables_or_may_do_everything_is_named():
    with left():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            (superuser,) = cursor.fetchone()
        assert f"{superuser} is a superuser." in site_role.differences(superuser)
        run("CREATE ROLE tests_owner")
        run("ALTER TABLE clients_client OWNER TO tests_owner")
        run(f"GRANT tests_owner TO {ROLE}")
        assert site_role.differences(ROLE) == [
            f"{ROLE} owns tables, or may act as tests_owner, who does: it can switch triggers off."
        ]
    assert site_role.differences("nobody_here") == ["The database knows no role nobody_here."]


def test_a_site_that_runs_is_not_kept_waiting_where_nothing_differs():
    with left():
        assert site_role.grant_to(ROLE) == 0


def test_health_names_a_role_that_may_do_too_much_and_a_site_that_is_closed(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "USER", ROLE)
    maintenance.open_again()
    assert [one.state for one in checks_of_site_role.site_role()] == [State.OK]
    assert list(checks_of_site_role.is_closed()) == []
    with left():
        run(f"GRANT TRUNCATE ON clients_client TO {ROLE}")
    maintenance.close("Back at 14:00.")
    (too_much,), (closed,) = checks_of_site_role.site_role(), checks_of_site_role.is_closed()
    assert (too_much.state, closed.state) == (State.WARNING, State.WARNING)
    assert f"{ROLE} may TRUNCATE on clients_client." in too_much.sentence
    assert "The site is closed since" in closed.sentence
