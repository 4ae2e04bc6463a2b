"""Every field that is stored: whose it is, who may read it, under which name it leaves, and what an erasure does to it.

One table, from which exports, the record of a client and erasure are made. **A new model or field needs a line**, in
`fields_of_clients`, `fields_of_courses`, `fields_of_supervision` or `fields_of_the_clinic`, else
tests/sessions_app/records/test_field_table.py fails and says so:

* `column(secrecy, name, what it says)` for what is in files, in the order of the columns;
* ROW_NUMBER, LINK, SECRET, COMPUTED, NOT_SHOWN for what leaves in no file;
* `about`: every way from the model to a client. Its rows go with that client. Without it they stay for ever, so a field
  that could hold something about a client must then say what an erasure does to it.
"""

from collections.abc import Mapping
from functools import cache

from django.apps import apps
from django.db import models

from sessions_app.records.field_kinds import Table
from sessions_app.records.fields_of_clients import TABLES_OF_CLIENTS
from sessions_app.records.fields_of_courses import TABLES_OF_COURSES
from sessions_app.records.fields_of_groups import TABLES_OF_GROUPS
from sessions_app.records.fields_of_questionnaires import TABLES_OF_QUESTIONNAIRES
from sessions_app.records.fields_of_supervision import TABLES_OF_SUPERVISION
from sessions_app.records.fields_of_the_clinic import TABLES_OF_THE_CLINIC

TABLES = (
    *TABLES_OF_CLIENTS,
    *TABLES_OF_COURSES,
    *TABLES_OF_QUESTIONNAIRES,
    *TABLES_OF_GROUPS,
    *TABLES_OF_SUPERVISION,
    *TABLES_OF_THE_CLINIC,
)


@cache
def by_model() -> Mapping[str, Table]:
    return {table.model: table for table in TABLES}


@cache
def going_with_the_client() -> tuple[Table, ...]:
    """Those whose rows go, in an order in which none goes before what refers to it."""
    waiting = {apps.get_model(table.model): table for table in TABLES if table.about}
    order: list[Table] = []
    while waiting:
        free = [model for model in waiting if not _referred_to(model, waiting)]
        if not free:
            raise RuntimeError(f"These models refer to each other in a ring: {list(waiting)}")
        order += [waiting.pop(model) for model in free]
    return tuple(order)


def _referred_to(model: type[models.Model], by: Mapping[type[models.Model], Table]) -> bool:
    """Whether a row of another of these models always refers to `model`.

    What may be null can run in a ring; the database looks at references when the transaction ends.
    """
    return any(
        field.related_model is model
        for other in by
        if other is not model
        for field in other._meta.concrete_fields
        if field.is_relation and not field.null
    )
