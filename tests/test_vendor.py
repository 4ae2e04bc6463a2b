import importlib.util
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SPEC = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
vendor = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(vendor)


@pytest.fixture
def copy(tmp_path):
    target = tmp_path / "vendor"
    shutil.copytree(vendor.VENDOR, target)
    return target


def test_vendored_files_are_the_ones_fetched():
    assert vendor.differences() == []


def test_a_changed_file_is_named(copy):
    with (copy / "simplecss" / "simple.css").open("a") as sheet:
        sheet.write("body { display: none }")

    assert vendor.differences(copy) == ["simplecss/simple.css is not the file that was fetched"]


def test_an_unlisted_file_is_named(copy):
    (copy / "stray.js").write_text("1")

    assert vendor.differences(copy) == ["stray.js is not listed"]


def test_a_missing_file_is_named(copy):
    (copy / "plotly" / "LICENSE").unlink()

    assert vendor.differences(copy) == ["plotly/LICENSE is listed and missing"]


@pytest.mark.parametrize("suffix", [".css", ".js"])
def test_nothing_points_at_a_source_map(suffix):
    assert [p.name for p in vendor.VENDOR.rglob(f"*{suffix}") if b"sourceMappingURL" in p.read_bytes()] == []


def test_every_package_brings_its_licence():
    assert all((vendor.VENDOR / name / "LICENSE").is_file() for name in vendor.PACKAGES)
