"""What rows are declared append-only is refused by the database itself, whatever a migration did to the table."""

from copy import deepcopy

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import BooleanField
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alliance import log_seals, triggers
from alliance.append_only import APPEND_ONLY
from alliance.approvals import ApprovalRequest
from alliance.erasures import Erasure
from alliance.log_archives import AuditArchive
from alliance.models import AuditEvent, AuditSeal
from alliance.operations.backup_made import BackupMade
from alliance.operations.backup_verified import BackupVerified, WhichKey
from clients.models import Episode
from sessions_app.courses.decisions import Correction
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.courses.responses import QuestionnaireResponse, ResponseDecision
from sessions_app.flags import discussion_actions
from sessions_app.flags.discussion_changes import DiscussionChange
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.instruments.packs import InstrumentPack
from sessions_app.instruments.promises import Promise
from sessions_app.intake import hand_over_actions
from sessions_app.plans import plan_actions
from sessions_app.plans.models import PlannedForm
from sessions_app.questionnaires.guesses import Guess
from sessions_app.questionnaires.risk_answers import RiskAnswer, RiskNote
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation
from sessions_app.records.retention_rule import RetentionRule
from sessions_app.supervision import question_actions, talk_actions
from sessions_app.supervision.questions import SupervisionQuestionChange
from sessions_app.supervision.talks import SupervisionTalkChange
from tests import cast
from tests.built_once import built_once
from tests.sessions_app.questionnaires.answering import confirm

ROWS = (
    *(AuditEvent, AuditSeal, AuditArchive, Rating, SetAsideRating, Correction, DiscussionChange),
    *(ClinicWording, Licence, InstrumentPack, ClinicSettings, Erasure, RetentionRule),
    *(SupervisionQuestionChange, SupervisionTalkChange),
    *(Promise, Guess, RiskConfirmation, RiskAnswer, RiskNote),
    *(QuestionnaireResponse, ResponseDecision, PlannedForm, ApprovalRequest),
    *(BackupMade, BackupVerified),
)
TABLES = sorted(row._meta.db_table for row in ROWS)
# What the triggers refuse to whoever may do everything else; the site's role may try none of it.
pytestmark = pytest.mark.usefixtures("as_owner")
POSTGRESQL = connection.vendor == "postgresql"
on_postgresql = pytest.mark.postgresql
OFF = {"switched_on_at": "NULL", "switched_on_by_id": "NULL"}
OF_A_LICENCE = [
    f"sessions_app_licence_append_only{what}"
    for what in (
        ("", "_truncate") if POSTGRESQL else ("_update", "_delete", "_replace", "_replace_by_update")
    )
]


def run(sql, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def drop(name, table="sessions_app_licence"):
    run(f"DROP TRIGGER {name}" + (f" ON {table}" if POSTGRESQL else ""))


def put_back():
    triggers.put_back(using=connection.alias)


def with_one_of_each():
    """A row in every append-only table, so that there is something to change."""
    clinic = cast.clinic()
    made = {"file": "a.tar", "made_at": timezone.now(), "seconds": 1}
    BackupMade.objects.create(**made, size=1, encrypted=False, version="0.1.0", rows=1, log_head="")
    BackupVerified.objects.create(**made, key=WhichKey.NONE, is_whole=True)
    session = cast.therapy_session(clinic.olgas)
    rating = cast.rating(session, 330)
    note = discussion_actions.discuss(flags=session.flags.all(), said="x", agreed="", by=clinic.olga)
    discussion_actions.withdraw_discussion(discussion=note, by=clinic.olga)
    cast.wording(clinic.adam)
    cast.pack(clinic.adam)
    cast.choose(clinic.adam, closing="marks")
    plan_actions.plan_form(
        **{"instrument": "phq-8", "moment": "start", "frequency": "each", "every": None, "numbers": ""},
        **{"for_whom": "clinic", "age_band": "", "therapists": [], "supervisor": ""},
        by=clinic.adam,
    )
    Correction.objects.create(rating=rating, kind="corrected", why="mistyped", corrected_by=clinic.olga)
    SetAsideRating.objects.create(
        grant=rating.grant, session=session, reason="late", answers={}, language="en", mode="line", sha256="0"
    )
    response = QuestionnaireResponse.objects.create(
        grant=rating.grant,
        session=session,
        rater="client",
        answers={},
        language="en",
        mode="line",
        sha256="0",
    )
    ResponseDecision.objects.create(response=response, counts=False, why="x", decided_by=clinic.olga)
    cast.promise(clinic.adam, research=True)
    Guess.objects.create(
        session=session,
        therapist=clinic.olga,
        instrument="session-rating",
        instrument_version="2",
        answers={},
    )
    confirm(looks=clinic.sina, by=clinic.adam)
    risk = RiskAnswer.objects.create(response=response, item="item-9", answer=20, limit=10)
    RiskNote.objects.create(answer=risk, note="x", noted_by=clinic.olga)
    Erasure.objects.create(client=clinic.olgas.client.code, reason="asked", asked_by=clinic.adam.pk)
    ApprovalRequest.objects.create(
        kind="cover", what={}, said="x", same="x", asked_by=clinic.adam, waits_until=timezone.now()
    )
    RetentionRule.objects.create(version=1, years=10, made_by=clinic.adam)
    question = question_actions.ask(episode=clinic.olgas, words="x", by=clinic.sina)
    question_actions.ask_otherwise(question=question, words="x, again", by=clinic.sina)
    talk = talk_actions.note_supervision(
        episode=clinic.olgas, held_on=timezone.localdate(), agreed="z", by=clinic.olga
    )
    talk_actions.change_supervision_note(talk=talk, held_on=talk.held_on, agreed="z, again", by=clinic.olga)
    log_seals.seal()
    AuditArchive.objects.create(
        name="x", sha256="0", first_seal=1, last_seal=1, after=0, upto=0, count=1, last_at=timezone.now()
    )
    return clinic


# Not for the whole module: the tests of migrations stand outside of any transaction.
@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, with_one_of_each) as made:
        yield made


@pytest.fixture
def one_of_each(built, db):
    made = deepcopy(built)
    if POSTGRESQL:
        # A constraint that waits for the end would refuse TRUNCATE instead of us.
        run("SET CONSTRAINTS ALL IMMEDIATE")
        yield made
        return
    # As any other program that opens the file: what our own connections do on top must not be needed.
    run("PRAGMA recursive_triggers = OFF")
    yield made
    run("PRAGMA recursive_triggers = ON")


@pytest.fixture
def refused(one_of_each):
    def refused(sql, *values):
        with pytest.raises(DatabaseError, match="append-only"):
            run(sql, *values)

    return refused


def columns(table):
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def test_these_tables_are_append_only():
    assert sorted(APPEND_ONLY) == TABLES


@pytest.mark.django_db
def test_all_triggers_are_there_after_all_migrations():
    assert triggers.missing_triggers(connection) == []
    on = {trigger.table for trigger in triggers.declared(connection)}
    assert on == set(TABLES)


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
class TestEveryTable:
    def test_refuses_an_update_of_whatever_is_no_state(self, refused, table):
        state = APPEND_ONLY[table]
        content = [name for name in columns(table) if name not in state]
        for name in content:
            refused(f'UPDATE {table} SET "{name}" = "{name}"')
        for name in state:
            run(f'UPDATE {table} SET "{name}" = "{name}"')
        assert len(content) > 3

    def test_refuses_a_delete(self, refused, table):
        refused(f"DELETE FROM {table}")
        refused(f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})")

    def test_refuses_that_a_row_is_replaced(self, refused, table):
        if POSTGRESQL:
            refused(
                f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET id = {table}.id"
            )
        else:
            refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
            refused(f"REPLACE INTO {table} SELECT * FROM {table}")

    @on_postgresql
    def test_refuses_to_be_truncated(self, refused, table):
        refused(f"TRUNCATE {table} CASCADE")


@on_postgresql
@pytest.mark.django_db
def test_a_table_is_not_truncated_along_with_another(refused):
    refused("TRUNCATE clients_client CASCADE")


ANEW = {"id": "id + 1000", "code": "gen_random_uuid()" if POSTGRESQL else "'another' || id"}


def copied(table, **changed):
    """INSERT OR REPLACE of the table's rows, with other values in some columns; PostgreSQL has no such verb."""
    names = columns(table)
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    verb = "INSERT" if POSTGRESQL else "INSERT OR REPLACE"
    return f"{verb} INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}"


@pytest.mark.django_db
class TestEveryUniqueKey:
    """OR REPLACE deletes whichever row has one of the unique keys of the new one."""

    @pytest.mark.parametrize(
        ("table", "changed"),
        [
            ("sessions_app_rating", {"id": "id + 1000"}),
            ("sessions_app_rating", ANEW),
            ("sessions_app_rating", {**ANEW, "session_id": "session_id + 9"}),
            ("sessions_app_rating", {**ANEW, "grant_id": "grant_id + 9"}),
            ("sessions_app_rating", {**ANEW, "grant_id": "grant_id + 9", "instrument": "'srs'"}),
            ("sessions_app_setasiderating", ANEW),
            ("sessions_app_correction", ANEW),
            ("sessions_app_discussionchange", {"id": "id + 1000"}),
            ("sessions_app_clinicsettings", ANEW),
            ("alliance_auditseal", {"id": "id + 1000"}),
            ("alliance_auditseal", {"id": "id + 1000", "number": "number + 1"}),
            ("sessions_app_clinicwording", {**ANEW, "edition": "'another'"}),
            ("sessions_app_clinicwording", {**ANEW, "edition": "upper(edition)", **OFF}),
        ],
        ids=lambda given: given if isinstance(given, str) else "-".join(given),
    )
    def test_is_guarded(self, one_of_each, table, changed):
        with pytest.raises(DatabaseError, match="unique" if POSTGRESQL else "append-only"):
            run(copied(table, **changed))

    def test_a_row_with_keys_of_its_own_is_taken(self, one_of_each):
        run(copied("sessions_app_setasiderating", **ANEW, sha256="'1'"))
        run(copied("alliance_auditevent", id="id + 1000"))
        run(copied("sessions_app_licence", **ANEW, number="'another'"))
        assert SetAsideRating.objects.count() == Licence.objects.count() == 2

    def test_a_condition_counts_as_in_the_index(self, one_of_each):
        """A corrected rating of the same session: the index of first ratings does not hold it."""
        hand_over_actions.hand_over(session=cast.therapy_session(one_of_each.olgas), by=one_of_each.olga)
        changed = {"grant_id": "(SELECT max(id) FROM sessions_app_ratinggrant)", "replaces_id": "id"}
        run(copied("sessions_app_rating", **ANEW, **changed))
        assert Rating.objects.filter(replaces__isnull=False).count() == 1

    def test_a_change_of_state_takes_no_other_row_away(self, one_of_each):
        other = cast.wording(one_of_each.adam, on=False, edition="2027")
        verb = "UPDATE" if POSTGRESQL else "UPDATE OR REPLACE"
        on = "switched_on_at = '2026-11-22 10:00:00Z', switched_on_by_id = loaded_by_id"
        with pytest.raises(DatabaseError, match="unique" if POSTGRESQL else "append-only"):
            run(f"{verb} sessions_app_clinicwording SET {on} WHERE id = {other.pk}")
        run(
            f"{verb} sessions_app_licence SET ended_at = '2026-11-22 10:00:00Z', ended_by_id = accepted_by_id"
        )
        assert ClinicWording.objects.filter(instrument="srs").count() == 2

    def test_control_without_the_trigger_the_row_is_another(self, one_of_each):
        drop("sessions_app_licence_append_only" + ("" if POSTGRESQL else "_replace"))
        copy = copied("sessions_app_licence", holder="'Somebody else'")
        run(copy + " ON CONFLICT (id) DO UPDATE SET holder = excluded.holder" if POSTGRESQL else copy)
        assert Licence.objects.get().holder == "Somebody else"

    def test_our_own_connections_refuse_it_without_that_trigger_too(self, one_of_each):
        if not POSTGRESQL:
            run("PRAGMA recursive_triggers = ON")
            drop("sessions_app_licence_append_only_replace")
        with pytest.raises(DatabaseError, match="unique" if POSTGRESQL else "append-only"):
            run(copied("sessions_app_licence", id="id + 1000"))


@pytest.mark.django_db
def test_our_own_connections_fire_triggers_for_what_they_replace():
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role" if POSTGRESQL else "PRAGMA recursive_triggers")
        assert cursor.fetchone() == ("origin" if POSTGRESQL else 1,)


@pytest.mark.django_db
class TestWhatIsLost:
    def test_is_named_and_put_back(self):
        for name in OF_A_LICENCE:
            drop(name)
            assert triggers.missing_triggers(connection) == [name]
            put_back()
            assert triggers.missing_triggers(connection) == []

    def test_is_corrected_where_it_differs(self):
        name = OF_A_LICENCE[0]
        drop(name)
        runs = "FOR EACH ROW EXECUTE FUNCTION refuse_change()" if POSTGRESQL else "BEGIN SELECT 1; END"
        run(f"CREATE TRIGGER {name} BEFORE UPDATE OF holder ON sessions_app_licence {runs}")
        assert triggers.missing_triggers(connection) == [name]
        put_back()
        assert triggers.missing_triggers(connection) == []

    @on_postgresql
    def test_counts_as_lost_where_it_is_disabled_or_runs_nothing(self):
        run(f"ALTER TABLE sessions_app_licence DISABLE TRIGGER {OF_A_LICENCE[0]}")
        assert triggers.missing_triggers(connection) == [OF_A_LICENCE[0]]
        put_back()
        run(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql"
            " AS $$BEGIN RETURN NEW; END$$"
        )
        run_it = [one for one in triggers.declared(connection) if one.function.name == "refuse_change"]
        assert len(triggers.missing_triggers(connection)) == len(run_it) > len(TABLES)
        put_back()
        assert triggers.missing_triggers(connection) == []

    def test_nothing_is_written_where_nothing_is_lost(self):
        with CaptureQueriesContext(connection) as captured:
            put_back()
        verbs = {query["sql"].split()[0] for query in captured}
        assert verbs == {"SELECT"}


def before_a_migration():
    """What `migrate` does first where it has something to do."""
    triggers.lift_what_reads_others(connection.alias, plan=["a migration"])


@pytest.mark.django_db(transaction=True)
class TestMigrate:
    def test_puts_back_what_a_table_made_anew_lost(self):
        """A column with a default: on SQLite the table is made anew. The control is in the middle."""
        late = BooleanField(default=False)
        late.set_attributes_from_name("late")
        before_a_migration()
        with connection.schema_editor() as editor:
            editor.add_field(Rating, late)
        try:
            lost = triggers.missing_triggers(connection)
            # PostgreSQL keeps them; the one that compares column by column does not know the new one yet.
            assert lost == ["sessions_app_rating_append_only"] if POSTGRESQL else lost
            call_command("migrate", verbosity=0)
            assert triggers.missing_triggers(connection) == []
        finally:
            before_a_migration()
            with connection.schema_editor() as editor:
                editor.remove_field(Rating, late)
            call_command("migrate", verbosity=0)
        assert triggers.missing_triggers(connection) == []

    def test_a_trigger_that_looks_into_other_tables_is_no_obstacle_to_their_migrations(self):
        """SQLite refuses to make a table anew that a trigger of another one names. The control is in the middle."""
        late = BooleanField(default=False)
        late.set_attributes_from_name("late")
        if not POSTGRESQL:
            with pytest.raises(DatabaseError, match="error in trigger"), connection.schema_editor() as editor:
                editor.add_field(Episode, late)
        triggers.lift_what_reads_others(connection.alias, plan=[])
        assert triggers.missing_triggers(connection) == []  # nothing to migrate: nothing is taken away
        before_a_migration()
        for change in ("add_field", "remove_field"):
            with connection.schema_editor() as editor:
                getattr(editor, change)(Episode, late)
        call_command("migrate", verbosity=0)
        assert triggers.missing_triggers(connection) == []

    def test_follows_a_column_that_is_removed(self):
        """SQLite refuses to drop a column that a trigger names, so the migration lifts the triggers first."""
        late = BooleanField(null=True)
        late.set_attributes_from_name("late")
        lift = triggers.lifted("sessions_app_licence").code
        with connection.schema_editor() as editor:
            editor.add_field(Licence, late)
        put_back()
        with connection.schema_editor() as editor:
            lift(None, editor)
            editor.remove_field(Licence, late)
        assert triggers.missing_triggers(connection) == OF_A_LICENCE
        call_command("migrate", verbosity=0)
        assert triggers.missing_triggers(connection) == []

    def test_migrating_backwards_and_forwards_loses_no_trigger_so_that_no_rating_can_be_changed(self):
        call_command("migrate", "sessions_app", "zero", verbosity=0)
        assert {trigger.table for trigger in triggers.declared(connection)} == {
            "alliance_approvalrequest",
            "alliance_auditevent",
            "alliance_backupmade",
            "alliance_backupverified",
            "alliance_erasure",
            "alliance_auditseal",
            "alliance_auditarchive",
        }
        call_command("migrate", verbosity=0)
        assert triggers.missing_triggers(connection) == []
        assert {trigger.table for trigger in triggers.declared(connection)} == set(TABLES)
        made = cast.clinic()
        rating = cast.rating(cast.therapy_session(made.olgas))
        with pytest.raises(DatabaseError, match="append-only"):
            run(
                "UPDATE sessions_app_rating SET total = 0 WHERE code = %s",
                rating.code if POSTGRESQL else rating.code.hex,
            )
