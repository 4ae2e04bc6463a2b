"""Every field that is stored stands in the table, with whose it is, who may read it, and what an erasure does to it."""

import pytest
from django.apps import apps
from django.db import connection

from sessions_app.records import field_table, sheets
from sessions_app.records.field_kinds import CLIENT, NOBODY, Erased
from sessions_app.records.field_table import TABLES, by_model, going_with_the_client
from sessions_app.records.fields_of_the_clinic import TABLES_WITHOUT_A_MODEL
from sessions_app.records.sheets import Part

MODELS = {model._meta.label: model for model in apps.get_models(include_auto_created=True)}
WHERE = "sessions_app/records/fields_of_clients.py, fields_of_courses.py or fields_of_the_clinic.py"
HOW = (
    f"Add it in {WHERE}: column(secrecy, name, what it says) if it belongs in files, else LINK, SECRET, COMPUTED or "
    "NOT_SHOWN."
)


def missing(model):
    table = by_model().get(model._meta.label)
    stored = {field.name for field in model._meta.concrete_fields}
    return stored - set(table.fields) if table else stored


@pytest.mark.parametrize("label", MODELS)
def test_an_unclassified_field_fails_here_and_the_sentence_says_what_to_do(label):
    assert label in by_model(), (
        f"{label} is not in the table of all fields. Add a Table(...) for it in {WHERE}; "
        "where its rows are about a client, with every way to the client in `about`."
    )
    assert missing(MODELS[label]) == set(), f"Fields of {label} are not in the table. {HOW}"


def test_control_a_new_field_is_seen():
    class Later:
        name = "later"

    class Meta:
        label = CLIENT
        concrete_fields = (*MODELS[CLIENT]._meta.concrete_fields, Later)

    class Model:
        _meta = Meta

    assert missing(Model) == {"later"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.model)
def test_no_line_is_left_of_a_field_that_is_no_more(table):
    stored = {field.name for field in MODELS[table.model]._meta.concrete_fields}
    assert set(table.fields) - stored == set(), (
        f"Take these out of {table.model} in sessions_app/records/fields_of_*.py."
    )


def leads_to_a_client(model, seen=()):
    """Whether a row of this model is reached from a client by its own foreign keys."""
    if model._meta.label == CLIENT:
        return True
    related = [field.related_model for field in model._meta.concrete_fields if field.is_relation]
    return any(leads_to_a_client(one, (*seen, model)) for one in related if one not in (*seen, model))


@pytest.mark.parametrize("label", MODELS)
def test_whatever_leads_to_a_client_goes_with_the_client(label):
    about = by_model()[label].about
    assert bool(about) == leads_to_a_client(MODELS[label]), (
        f"{label} refers to a client, directly or through other rows: give its Table the way there in `about`, else an "
        "erasure leaves its rows behind. Without such a reference it has no `about`."
    )


def test_every_reference_to_a_client_is_a_way():
    """A row that names two clients goes with either."""
    for table in TABLES:
        direct = [
            field.name
            for field in MODELS[table.model]._meta.concrete_fields
            if field.is_relation and field.related_model._meta.label == CLIENT and table.model != CLIENT
        ]
        if direct:
            assert set(direct) <= {way.split("__")[0] for way in table.about}, table.model


@pytest.mark.django_db
@pytest.mark.parametrize("table", [table for table in TABLES if table.about], ids=lambda table: table.model)
def test_the_ways_are_real(table):
    for way in table.about:
        assert not table.rows().filter(**{f"{way}__in": [0]}).exists()


@pytest.mark.django_db
def test_every_table_of_the_database_is_known():
    with connection.cursor() as cursor:
        found = set(connection.introspection.table_names(cursor))
    ours = {model._meta.db_table for model in MODELS.values()}
    assert found - ours == set(TABLES_WITHOUT_A_MODEL)


def test_rows_go_before_what_they_refer_to():
    order = [MODELS[table.model] for table in going_with_the_client()]
    for place, model in enumerate(order):
        later = order[place + 1 :]
        refers = [f.related_model for f in model._meta.concrete_fields if f.is_relation and not f.null]
        assert not [other for other in order[:place] if other in refers and other is not model], model
        leads = [f.related_model for f in model._meta.concrete_fields if f.is_relation]
        assert model._meta.label == CLIENT or any(one in later for one in leads)
    assert order[-1]._meta.label == CLIENT


def test_tables_of_which_none_can_go_first_are_named(monkeypatch):
    """A new model in a ring of references fails with its name, and does not look for an order for ever."""
    monkeypatch.setattr(field_table, "_referred_to", lambda model, by: model._meta.label != "clients.Cover")
    with pytest.raises(RuntimeError, match=r"refer to each other in a ring: .*Client") as ring:
        going_with_the_client.__wrapped__()
    assert "Cover" not in str(ring.value)


def test_every_text_that_could_be_about_a_client_goes_or_says_what_becomes_of_it():
    """Free text stays only where the clinic wrote it about itself; what is added here needs a second look."""
    stays = {
        f"{table.model}.{name}"
        for table in TABLES
        for name in table.fields
        if table.erased(name) == Erased.STAYS
        and MODELS[table.model]._meta.get_field(name).get_internal_type() in {"TextField", "JSONField"}
        and not name.endswith(("_key", "_look"))  # of a name, beside it
    }
    assert stays == {
        "alliance.BackupVerified.found",
        "alliance.ClockTask.error",  # a sentence of ours, or the place of a fault: `heartbeat.in_words`
        "alliance.Erasure.counts",
        "mfa.Authenticator.data",
        "sessions.Session.session_data",
        "sessions_app.ChanceReturns.figures",
        "sessions_app.ClinicSettings.languages",
        "sessions_app.ClinicSettings.prorated",
        "sessions_app.ClinicSettings.rules",
        "sessions_app.ClinicSettings.urgent_help",
        "sessions_app.ClinicWording.form",
        "sessions_app.ClinicWording.introduction",
        "sessions_app.ClinicWording.items",
        "sessions_app.GroupSession.void_reason",  # of a session with several clients
        "sessions_app.ImportRun.columns",
        "sessions_app.Promise.own",
        "sessions_app.ImportRun.counts",
        "sessions_app.ImportRun.options",
        "sessions_app.InstrumentPack.terms",
        "sessions_app.RiskConfirmation.sentences",
        "usersessions.UserSession.data",
    }


@pytest.mark.parametrize("part", Part)
def test_columns_have_a_name_once_and_say_something(part):
    for sheet in sheets.sheets(part):
        assert len(set(sheet.header)) == len(sheet.header), sheet.name
        assert all(one.says for one in sheet.columns), sheet.name
        assert sheet.table.says


def test_no_key_and_no_hash_is_in_any_file():
    names = {
        f"{table.model}.{name}": field
        for table in TABLES
        for name, field in table.fields.items()
        if "hash" in name or "password" in name or "key" in name or "token" in name or name == "sha256"
    }
    assert len(names) > 8
    assert {name for name, field in names.items() if field.secrecy != NOBODY or field.name} == set()


def test_administrators_are_given_no_clinical_column():
    assert [sheet.name for sheet in sheets.sheets(Part.CLINIC)] == [
        "people",
        "supervisions",
        "clients",
        "episodes",
        "sessions",
        "day_corrections",
        "covers",
        "consents",
    ]


def test_supervisors_are_not_given_which_marks_were_set_aside():
    names = {sheet.name for sheet in sheets.sheets(Part.SUPERVISED)}
    assert {"ratings", "flags", "talks"} < names
    assert names.isdisjoint({"set_aside", "set_aside_decisions", "people"})
