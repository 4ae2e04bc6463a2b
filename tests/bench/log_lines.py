"""The access log that the clinic would have by now: four lines for every rating, in the order of their times."""

from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from tests.bench.copies import without_indexes

COLUMNS = ("at", "action", "entity", "entity_code", "client", "actor", "detail")
NAMED = "clients"  # one line for a list, that names all clients on it; an older revision has a line for each
HELD = "{TherapySession} s JOIN {Episode} e ON e.id = s.episode_id JOIN {Client} c ON c.id = e.client_id"
NO_DETAIL = "jsonb_build_object()"
RATED = "jsonb_build_object('mode', 'line', 'channel', 'tablet')"
LINES = (
    f"SELECT s.held_at - interval '5 minutes', 'viewed', 'episode', e.code, c.code, e.therapist_id, {NO_DETAIL} "
    f"FROM {HELD} WHERE s.attendance <> 'planned'",
    f"SELECT r.made_at, 'handed over', 'ratinggrant', r.code, c.code, e.therapist_id, {NO_DETAIL} "
    f"FROM {{RatingGrant}} r JOIN {HELD} ON s.id = r.session_id",
    f"SELECT r.received_at, 'rated', 'rating', r.code, c.code, NULL, {RATED} "
    f"FROM {{Rating}} r JOIN {HELD} ON s.id = r.session_id",
    f"SELECT r.discussed_at, 'discussed', 'discussion', r.code, c.code, e.therapist_id, {NO_DETAIL} "
    f"FROM {{Discussion}} r JOIN {HELD} ON s.id = r.session_id",
)
LISTED_EACH = (
    f"SELECT s.held_at - interval '9 minutes', 'listed', 'client', c.code, c.code, e.therapist_id, {NO_DETAIL} "
    f"FROM {HELD} WHERE s.attendance <> 'planned'"
)
# On each day with a session the therapist opened the list of whoever came in that week.
LISTED_TOGETHER = (
    "SELECT min(s.held_at) - interval '9 minutes', 'listed', 'client', NULL::uuid, NULL::uuid, e.therapist_id, "
    f"{NO_DETAIL}, week.named FROM {HELD} JOIN ("
    "SELECT e.therapist_id, date_trunc('week', s.held_at) AS began, "
    f"jsonb_agg(DISTINCT replace(c.code::text, '-', '')) AS named FROM {HELD} GROUP BY 1, 2"
    ") week ON week.therapist_id = e.therapist_id AND week.began = date_trunc('week', s.held_at) "
    "WHERE s.attendance <> 'planned' GROUP BY date_trunc('day', s.held_at), e.therapist_id, week.named"
)


@transaction.atomic
def write() -> None:
    event = apps.get_model("alliance.AuditEvent")
    columns, lines = _lines(event)
    more = _needed(event, columns)
    tables = {model.__name__: model._meta.db_table for model in apps.get_models()}
    every = " UNION ALL ".join(lines).format(**tables)
    values = ", ".join(["lines.*", *(f"%({name})s" for name in more)])
    table = event._meta.db_table
    with without_indexes([table]), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join([*columns, *more])}) "
            f"SELECT {values} FROM ({every}) AS lines (at) ORDER BY at",
            more,
        )


def _lines(event: type[models.Model]) -> tuple[tuple[str, ...], list[str]]:
    """Columns, and the statements that fill them."""
    if NAMED not in {field.column for field in event._meta.concrete_fields}:
        return COLUMNS, [*LINES, LISTED_EACH]
    return (*COLUMNS, NAMED), [
        LISTED_TOGETHER,
        *(one.replace(" FROM", ", NULL::jsonb FROM", 1) for one in LINES),
    ]


def _needed(event: type[models.Model], columns: tuple[str, ...]) -> dict[str, Any]:
    """Columns that this revision's log has besides and may not leave empty, with their defaults."""
    others = [one for one in event._meta.concrete_fields if one.column not in columns and not one.primary_key]
    return {one.column: one.get_db_prep_save(one.get_default(), connection) for one in others if not one.null}
