"""The table of all fields as a page for people: what is stored, whose it is, how it is kept, and what an erasure does.

`manage.py data_inventory` prints it. docs/data-inventory.md is what it printed; a test says where that is out of date.
"""

from collections import defaultdict
from collections.abc import Iterator

from django.apps import apps

from alliance.encrypted_field import encrypted_fields
from sessions_app.records.field_kinds import Erased, Secrecy, Table, Whose
from sessions_app.records.field_table import TABLES

READ_BY = {
    Secrecy.OFFICE: "administrators",
    Secrecy.CLINICAL: "therapist, supervisor",
    Secrecy.SAID: "therapist; supervisor where the client agreed",
    Secrecy.THERAPIST: "therapist",
    Secrecy.NOBODY: "nobody",
}
HEADINGS = {
    Whose.CLIENT: "Of clients",
    Whose.STAFF: "Of members of staff",
    Whose.CLINIC: "Of the clinic",
    Whose.SITE: "Of the site itself",
}
BEGINNING = """\
# Data inventory

Every field that is stored: made from the field table by `manage.py data_inventory`, so do not change it here. A test fails
where the table and this page differ, and where a field is in neither.

{tables} tables with {fields} fields, of which {sealed} hold sealed words. How it leaves and is erased: [records](records.md).

## How each class is protected

| class | who gets it in a file | at rest | in the logs |
|---|---|---|---|
| people and dates | administrators, therapist, supervisor | in clear: lists are ordered and searched by labels ([why](keys.md)) | as random codes |
| clinical: marks, flags, talks | the client's therapist; whoever supervises them | marks and flags in clear, words sealed | that something was done, and never what |
| said: the client's own sentence | the therapist; the supervisor where the client agreed | sealed | never |
| the therapist's alone | the client's therapist | words sealed | never |
| in no file: keys, hashes, the site's own working | nobody | keys as hashes or sealed | never |

Each class is read through one door for rows, changed through actions that write the access log, kept until the clinic erases it, and in encrypted backups
until these are past. *Sealed* is written behind the fields whose words only `SECRET_KEY` opens.
"""  # noqa: E501 - rows of a table


def as_markdown() -> str:
    fields = sum(len(table.fields) for table in TABLES)
    sealed = sum(len(_sealed(table)) for table in TABLES)
    parts = [BEGINNING.format(tables=len(TABLES), fields=fields, sealed=sealed)]
    for whose, heading in HEADINGS.items():
        parts += [f"\n## {heading}\n\n| table | fields | in a file for | an erasure |\n|---|---|---|---|\n"]
        parts += [row for table in TABLES if table.whose == whose for row in _rows(table)]
    return "".join(parts)


def _rows(table: Table) -> Iterator[str]:
    sealed = _sealed(table)
    groups: dict[tuple[Secrecy, bool, Erased], list[str]] = defaultdict(list)
    for name, field in table.fields.items():
        groups[field.secrecy, name in sealed, table.erased(name)].append(name)
    title = f"`{table.model}`" + (f" {table.title}" if table.title else "")
    for (secrecy, is_sealed, erased), names in groups.items():
        listed = ", ".join(names) + (" *(sealed)*" if is_sealed else "")
        yield f"| {title} | {listed} | {READ_BY[secrecy]} | {erased} |\n"
        title = ""


def _sealed(table: Table) -> frozenset[str]:
    return frozenset(field.name for field in encrypted_fields(apps.get_model(table.model))) & set(
        table.fields
    )
