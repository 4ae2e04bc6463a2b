from django.db import migrations

from alliance.append_only import append_only

# Every answer is null or a whole number of tenths from 0 to 100, whatever wrote the row.
POSTGRESQL = """
CREATE OR REPLACE FUNCTION refuse_answers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM jsonb_each(NEW.answers) AS line
             WHERE jsonb_typeof(line.value) <> 'null'
               AND (jsonb_typeof(line.value) <> 'number'
                    OR (line.value)::text !~ '^[0-9]{1,3}$'
                    OR (line.value)::text::integer > 100)) THEN
    RAISE EXCEPTION 'an answer is outside 0 to 100 tenths' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER sessions_app_rating_answers BEFORE INSERT ON sessions_app_rating
FOR EACH ROW EXECUTE FUNCTION refuse_answers();
"""
SQLITE = """
CREATE TRIGGER sessions_app_rating_answers BEFORE INSERT ON sessions_app_rating
WHEN EXISTS (SELECT 1 FROM json_each(NEW.answers) AS line
             WHERE line.type NOT IN ('null', 'integer')
                OR (line.type = 'integer' AND line.value NOT BETWEEN 0 AND 100))
BEGIN SELECT RAISE(ABORT, 'an answer is outside 0 to 100 tenths'); END;
"""


def refuse_answers(apps, schema_editor):
    schema_editor.execute(POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE)


def allow_answers(apps, schema_editor):
    on = " ON sessions_app_rating" if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"DROP TRIGGER sessions_app_rating_answers{on}")


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0001_initial"), ("alliance", "0002_audit_is_append_only")]
    operations = [
        append_only("sessions_app_rating"),
        append_only("sessions_app_setasiderating"),
        migrations.RunPython(refuse_answers, allow_answers),
    ]
