"""The access log that the clinic would have by now: four lines for every rating, in the order of their times."""

from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from tests.bench.copies import without_indexes

COLUMNS = ("at", "action", "entity", "entity_code", "client", "actor", "detail")
HELD = "{TherapySession} s JOIN {Episode} e ON e.id = s.episode_id JOIN {Client} c ON c.id = e.client_id"
NO_DETAIL = "jsonb_build_object()"
RATED = "jsonb_build_object('mode', 'line', 'channel', 'tablet')"
LINES = (
    f"SELECT s.held_at - interval '9 minutes', 'listed', 'client', c.code, c.code, e.therapist_id, {NO_DETAIL} "
    f"FROM {HELD} WHERE s.attendance <> 'planned'",
    f"SELECT s.held_at - interval '5 minutes', 'viewed', 'episode', e.code, c.code, e.therapist_id, {NO_DETAIL} "
    f"FROM {HELD} WHERE s.attendance <> 'planned'",
    f"SELECT r.made_at, 'handed over', 'ratinggrant', r.code, c.code, e.therapist_id, {NO_DETAIL} "
    f"FROM {{RatingGrant}} r JOIN {HELD} ON s.id = r.session_id",
    f"SELECT r.received_at, 'rated', 'rating', r.code, c.code, NULL, {RATED} "
    f"FROM {{Rating}} r JOIN {HELD} ON s.id = r.session_id",
    f"SELECT r.discussed_at, 'discussed', 'discussion', r.code, c.code, e.therapist_id, {NO_DETAIL} "
    f"FROM {{Discussion}} r JOIN {HELD} ON s.id = r.session_id",
)


@transaction.atomic
def write() -> None:
    event = apps.get_model("alliance.AuditEvent")
    more = _needed(event)
    tables = {model.__name__: model._meta.db_table for model in apps.get_models()}
    lines = " UNION ALL ".join(LINES).format(**tables)
    columns = ", ".join([*COLUMNS, *more])
    values = ", ".join(["lines.*", *(f"%({name})s" for name in more)])
    table = event._meta.db_table
    with without_indexes([table]), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM ({lines}) AS lines (at) ORDER BY at", more
        )


def _needed(event: type[models.Model]) -> dict[str, Any]:
    """Columns that this revision's log has besides and may not leave empty, with their defaults."""
    others = [one for one in event._meta.concrete_fields if one.column not in COLUMNS and not one.primary_key]
    return {one.column: one.get_db_prep_save(one.get_default(), connection) for one in others if not one.null}
