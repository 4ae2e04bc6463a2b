"""The units for systemd: what systemd itself says of them."""

import shutil
import subprocess

import pytest

from tests.alliance.operations.processes import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
# Where systemd is not installed there is nothing to ask; what they must hold is looked at below all the same.
ANALYZE = [path] if (path := shutil.which("systemd-analyze")) else []


@pytest.fixture
def here(tmp_path):
    """As installed, but where these tests are: systemd looks whether the programs exist."""
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace("/srv/alliance", str(ROOT)))
        copies.append(copy)
    return copies


@pytest.mark.parametrize("analyze", ANALYZE)
def test_systemd_understands_every_line_of_them(here, analyze):
    done = subprocess.run([analyze, "verify", *here], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

    broken = here[0]
    broken.write_text(broken.read_text().replace("Restart=always", "Restart=perhaps"))
    done = subprocess.run([analyze, "verify", broken], capture_output=True, text=True, check=False)
    assert "perhaps" in done.stderr, "the control"


@pytest.mark.parametrize("analyze", ANALYZE)
def test_they_are_hardened(here, analyze):
    for unit in here:
        done = subprocess.run(
            [analyze, "security", "--offline=yes", "--threshold=20", unit],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_they_are_started_anew_and_bounded(unit):
    lines = unit.read_text().splitlines()
    for line in ("Restart=always", "StartLimitIntervalSec=0", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert line in lines
    assert any(line.startswith("MemoryMax=") for line in lines)
    assert any(line.startswith("TasksMax=") for line in lines)


def test_there_is_one_for_the_site_and_one_for_the_clock():
    assert [unit.stem for unit in UNITS] == ["alliance-clock", "alliance-site"]
