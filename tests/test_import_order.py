"""The contracts of pyproject.toml about imports: kept by the code, and broken by an import that is planted."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


@pytest.fixture(scope="module")
def copy_of_the_code(tmp_path_factory):
    copy = tmp_path_factory.mktemp("code")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in ("alliance", "clients", "sessions_app", "tests"):
        for path in (ROOT / package).rglob("*.py"):
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return copy


def lint_imports(folder):
    # What it keeps is of this copy alone; a file that was planted in is read again.
    command = [LINT_IMPORTS, "--no-logo", "--cache-dir", folder / "kept"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_code_keeps_every_contract(copy_of_the_code):
    answer = lint_imports(copy_of_the_code)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("clients/actions.py", "sessions_app.courses.models"),
        ("alliance/audit.py", "clients.models"),
        ("alliance/audit.py", "tests.cast"),
        ("alliance/measurement/scoring.py", "django.utils"),
        ("alliance/measurement/scoring.py", "alliance.refused"),  # which imports no Django itself
        ("sessions_app/courses/models.py", "sessions_app.flags.models"),
        ("sessions_app/instruments/offers.py", "sessions_app.courses.models"),
        ("sessions_app/flags/models.py", "sessions_app.models"),
        ("sessions_app/dashboards/work_list.py", "sessions_app.demo"),
        ("sessions_app/urls.py", "sessions_app.models"),
        ("tests/cast.py", "sessions_app.models"),
    ],
)
def test_an_import_against_the_order_is_found(copy_of_the_code, importer, imported):
    path = copy_of_the_code / importer
    before = path.read_text("utf-8")
    path.write_text(f"{before}\n\ndef planted():\n    import {imported}\n", encoding="utf-8")
    try:
        answer = lint_imports(copy_of_the_code)
    finally:
        path.write_text(before, encoding="utf-8")
    broken = importer.removesuffix(".py").replace("/", ".")
    assert answer.returncode == 1, answer.stdout
    assert f"{broken} -> {imported.split('.')[0]}" in answer.stdout


def test_a_room_without_a_place_in_the_order_is_found(copy_of_the_code):
    room = copy_of_the_code / "sessions_app" / "attic"
    room.mkdir()
    (room / "__init__.py").touch()
    try:
        answer = lint_imports(copy_of_the_code)
    finally:
        shutil.rmtree(room)
    assert answer.returncode == 1
    assert "sessions_app.attic" in answer.stdout
