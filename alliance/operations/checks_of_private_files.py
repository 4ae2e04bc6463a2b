"""Whether somebody else on this machine can read the file of an SQLite database, or put another in its place."""

from collections.abc import Iterator

from alliance import private_files
from alliance.operations.findings import PAGE, START, Finding, check, ok, warning

TO_DO = (
    "Give the file to the user that the site runs as, or take it from the others: chmod go= on it, chmod go-w on its "
    "folder. Then restart the site."
)


@check("private_files", at=START | PAGE)
def private() -> Iterator[Finding]:
    found = private_files.open_to_others()
    if found:
        names = ", ".join(path.name for path in found)
        yield warning("private_files", f"Other users of this machine can reach the database: {names}.", TO_DO)
    elif private_files.is_a_file():
        yield ok("private_files", "The file of the database is readable by the site's user alone.")
