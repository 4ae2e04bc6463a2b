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
MARKS, ANSWERS = (0, 100), (-200, 200)  # the lowest and the highest there can be, in tenths


def _out_of_range(low: int, high: int) -> str:
    return f"""
  IF EXISTS (SELECT 1 FROM jsonb_each(NEW.answers) AS line
             WHERE jsonb_typeof(line.value) <> 'null'
               AND (jsonb_typeof(line.value) <> 'number'
                    OR (line.value)::text !~ '^-?[0-9]{{1,3}}$'
                    OR (line.value)::text::integer NOT BETWEEN {low} AND {high})) THEN
    RAISE EXCEPTION 'an answer is outside {low} to {high} tenths' USING ERRCODE = 'check_violation';
  END IF;"""


REFUSE_ANSWERS = Function(
    "refuse_answers",
    f"""
BEGIN{_out_of_range(*MARKS)}
  IF NEW.total IS NOT NULL AND NEW.mode NOT IN ('imported', 'none')
     AND NOT EXISTS (SELECT 1 FROM jsonb_each(NEW.answers) AS line WHERE jsonb_typeof(line.value) = 'number') THEN
    RAISE EXCEPTION 'only an imported total has no lines' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END """,
)
REFUSE_RESPONSE = Function(
    "refuse_response_answers", f"\nBEGIN{_out_of_range(*ANSWERS)}\n  RETURN NEW;\nEND "
)
REFUSE_GUESS = Function("refuse_guess_answers", f"\nBEGIN{_out_of_range(*MARKS)}\n  RETURN NEW;\nEND ")
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
        yield _on_sqlite(TABLE, *MARKS)
        yield Trigger(OF_TOTALS, TABLE, OF_TOTALS_ON_SQLITE)


def response_in_range(connection: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """The same of the answers to a questionnaire, which may go from -20 to 20 (`stated_parts`)."""
    if connection.vendor == "postgresql":
        yield _on_postgresql(RESPONSES, REFUSE_RESPONSE)
    else:
        yield _on_sqlite(RESPONSES, *ANSWERS)


def guess_in_range(connection: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """The same of a therapist's guess at the rating of a session."""
    yield (
        _on_postgresql(GUESSES, REFUSE_GUESS)
        if connection.vendor == "postgresql"
        else _on_sqlite(GUESSES, *MARKS)
    )


def _on_postgresql(table: str, function: Function) -> Trigger:
    name = f"{table}_answers"
    insert = f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function.name}()"
    return Trigger(name, table, insert, function)


def _on_sqlite(table: str, low: int, high: int) -> Trigger:
    name = f"{table}_answers"
    insert = f"""
CREATE TRIGGER "{name}" BEFORE INSERT ON "{table}"
WHEN EXISTS (SELECT 1 FROM json_each(NEW.answers) AS line
             WHERE line.type NOT IN ('null', 'integer')
                OR (line.type = 'integer' AND line.value NOT BETWEEN {low} AND {high}))
BEGIN SELECT RAISE(ABORT, 'an answer is outside {low} to {high} tenths'); END
""".strip()
    return Trigger(name, table, insert)
