"""The triggers that refuse a rating with an answer out of range, or with a total of no lines, whatever wrote the row.

No constraint can say it: a check would need a query over the keys of the JSON.
"""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from alliance.triggers import Function, Trigger

TABLE = "sessions_app_rating"
NAME = f"{TABLE}_answers"
REFUSE_ANSWERS = Function(
    "refuse_answers",
    """
BEGIN
  IF EXISTS (SELECT 1 FROM jsonb_each(NEW.answers) AS line
             WHERE jsonb_typeof(line.value) <> 'null'
               AND (jsonb_typeof(line.value) <> 'number'
                    OR (line.value)::text !~ '^[0-9]{1,3}$'
                    OR (line.value)::text::integer > 100)) THEN
    RAISE EXCEPTION 'an answer is outside 0 to 100 tenths' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.total IS NOT NULL AND NEW.mode NOT IN ('imported', 'none')
     AND NOT EXISTS (SELECT 1 FROM jsonb_each(NEW.answers) AS line WHERE jsonb_typeof(line.value) = 'number') THEN
    RAISE EXCEPTION 'only an imported total has no lines' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END """,
)
ON_POSTGRESQL = (
    f"CREATE TRIGGER {NAME} BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION refuse_answers()"
)
ON_SQLITE = f"""
CREATE TRIGGER "{NAME}" BEFORE INSERT ON "{TABLE}"
WHEN EXISTS (SELECT 1 FROM json_each(NEW.answers) AS line
             WHERE line.type NOT IN ('null', 'integer')
                OR (line.type = 'integer' AND line.value NOT BETWEEN 0 AND 100))
BEGIN SELECT RAISE(ABORT, 'an answer is outside 0 to 100 tenths'); END
""".strip()
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
        yield Trigger(NAME, TABLE, ON_POSTGRESQL, REFUSE_ANSWERS)
    else:
        yield Trigger(NAME, TABLE, ON_SQLITE)
        yield Trigger(OF_TOTALS, TABLE, OF_TOTALS_ON_SQLITE)
