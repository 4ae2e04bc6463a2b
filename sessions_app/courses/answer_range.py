"""The triggers that refuse an answer out of range, or a rating with a total of no lines, whatever wrote the row.

No constraint can say it: a check would need a query over the keys of the JSON.
"""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from alliance.triggers import Function, Trigger

TABLE, RESPONSES, GUESSES = (
    "sessions_app_rating",
    "sessions_app_questionnaireresponse",
    "sessions_app_guess",
)
NAME = f"{TABLE}_answers"
_OUT_OF_RANGE = """
  IF EXISTS (SELECT 1 FROM jsonb_each(NEW.answers) AS line
             WHERE jsonb_typeof(line.value) <> 'null'
               AND (jsonb_typeof(line.value) <> 'number'
                    OR (line.value)::text !~ '^[0-9]{1,3}$'
                    OR (line.value)::text::integer > 100)) THEN
    RAISE EXCEPTION 'an answer is outside 0 to 100 tenths' USING ERRCODE = 'check_violation';
  END IF;"""
REFUSE_ANSWERS = Function(
    "refuse_answers",
    f"""
BEGIN{_OUT_OF_RANGE}
  IF NEW.total IS NOT NULL AND NEW.mode NOT IN ('imported', 'none')
     AND NOT EXISTS (SELECT 1 FROM jsonb_each(NEW.answers) AS line WHERE jsonb_typeof(line.value) = 'number') THEN
    RAISE EXCEPTION 'only an imported total has no lines' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END """,
)
REFUSE_RESPONSE = Function("refuse_response_answers", f"\nBEGIN{_OUT_OF_RANGE}\n  RETURN NEW;\nEND ")
OF_TOTALS = f"{NAME}_of_total"
OF_TOTALS_ON_SQLITE = f"""
CREATE TRIGGER "{OF_TOTALS}" BEFORE INSERT ON "{TABLE}"
WHEN NEW.total IS NOT NULL AND NEW.mode NOT IN ('imported', 'none')
     AND NOT EXISTS (SELECT 1 FROM json_each(NEW.answers) AS line WHERE line.type = 'integer')
BEGIN SELECT RAISE(ABORT, 'only an imported total has no lines'); END
""".strip()


def answers_in_range(connection: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """Every answer is null or a whole number of tenths from 0 to 100; a total has lines, unless it was imported."""
    if connection.vendor == "postgresql":
        yield _on_postgresql(TABLE, REFUSE_ANSWERS)
    else:
        yield _on_sqlite(TABLE)
        yield Trigger(OF_TOTALS, TABLE, OF_TOTALS_ON_SQLITE)


def response_in_range(connection: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """The same of the answers to a questionnaire: no item of any instrument goes beyond 10."""
    yield _of(RESPONSES, connection)


def guess_in_range(connection: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """The same of a therapist's guess."""
    yield _of(GUESSES, connection)


def _of(table: str, connection: BaseDatabaseWrapper) -> Trigger:
    is_postgresql = connection.vendor == "postgresql"
    return _on_postgresql(table, REFUSE_RESPONSE) if is_postgresql else _on_sqlite(table)


def _on_postgresql(table: str, function: Function) -> Trigger:
    name = f"{table}_answers"
    insert = f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function.name}()"
    return Trigger(name, table, insert, function)


def _on_sqlite(table: str) -> Trigger:
    name = f"{table}_answers"
    insert = f"""
CREATE TRIGGER "{name}" BEFORE INSERT ON "{table}"
WHEN EXISTS (SELECT 1 FROM json_each(NEW.answers) AS line
             WHERE line.type NOT IN ('null', 'integer')
                OR (line.type = 'integer' AND line.value NOT BETWEEN 0 AND 100))
BEGIN SELECT RAISE(ABORT, 'an answer is outside 0 to 100 tenths'); END
""".strip()
    return Trigger(name, table, insert)
