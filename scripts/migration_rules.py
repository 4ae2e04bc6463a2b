"""What a migration may do that the release before can live with: its code runs on the new schema until it is replaced.

Also the way back: an upgrade that is called off leaves the new schema, and the old code has to work on it. A step that
breaks these rules takes two releases, or says why it does not (docs/deployment.md, "Roll back"):

* `unused_since = "0.2.0"`: the release, already out, in which code stopped naming what the migration takes away;
* `harmless = "..."`: why the release before can live with it all the same.
"""

from collections.abc import Iterator

from django.db import models
from django.db.migrations import Migration, operations
from django.db.models.fields import NOT_PROVIDED

TAKES_AWAY = (
    operations.RemoveField,
    operations.DeleteModel,
    operations.RenameField,
    operations.RenameModel,
    operations.AlterModelTable,
)
NARROWS = (
    operations.AddConstraint,
    operations.AlterUniqueTogether,
    operations.AlterField,
)
CODE = (operations.RunPython, operations.RunSQL)


def faults(migration: Migration, released: tuple[str, ...]) -> Iterator[str]:
    """What the release before could not live with, in sentences; nothing for the migrations that begin an app."""
    if migration.initial:
        return
    made = {one.name_lower for one in migration.operations if isinstance(one, operations.CreateModel)}
    for operation in migration.operations:
        of = getattr(operation, "model_name_lower", "") or getattr(operation, "name_lower", "")
        if of in made:
            continue
        sentence = _fault(migration, operation, released)
        if sentence:
            yield f"{migration.app_label}.{migration.name}: {operation.describe()}: {sentence}"


def _fault(migration: Migration, operation: object, released: tuple[str, ...]) -> str:
    if isinstance(operation, CODE) and not operation.reversible:
        return "there is no way back; give it one, if only noop."
    if getattr(migration, "harmless", ""):
        return ""
    if isinstance(operation, operations.AddField) and not _is_optional(operation.field):
        return "the release before does not name this column, so its inserts fail; give it a db_default, or null=True."
    if isinstance(operation, TAKES_AWAY) and getattr(migration, "unused_since", "") not in released:
        return (
            "the release before still names it; stop naming it in one release, and take it away in the next."
        )
    if isinstance(operation, NARROWS):
        return "the release before may write what this refuses; say why it does not, with `harmless`."
    return ""


def _is_optional(field: models.Field) -> bool:
    return field.many_to_many or field.null or field.db_default is not NOT_PROVIDED or field.generated
