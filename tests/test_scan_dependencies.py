"""`make scan`: a tool that could ask nobody is not taken at its word that nothing was found."""

import subprocess
import sys

import pytest

from scripts import scan_dependencies
from scripts.scan_dependencies import of_npm, of_python, sentences

WEAK = {
    "name": "django",
    "version": "5.2.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["5.2.1"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
SOUND = {"name": "sqlparse", "version": "0.6.1", "vulns": []}
UNKNOWN = {"name": "zxcvbn", "skip_reason": "could not be audited"}
OF_NPM = {"vulnerabilities": {"plotly": {"severity": "high", "via": [{"title": "Prototype pollution"}]}}}


@pytest.mark.parametrize(
    ("scan", "said"),
    [
        (
            of_python("a", {"dependencies": [UNKNOWN]}),
            ["a: not scanned. Nobody who knows of weaknesses could be asked from here."],
        ),
        (
            of_python("a", {"dependencies": [SOUND, UNKNOWN]}),
            ["a: no known weakness in 1 packages; of 1 nothing is known there."],
        ),
        (
            of_python("a", {"dependencies": [WEAK, SOUND]}),
            [
                "a: 2 known in 2 packages.",
                "  django 5.2.0: PYSEC-1, mended in 5.2.1",
                "  django 5.2.0: PYSEC-2, mended in no version yet",
            ],
        ),
        (
            of_npm({"message": "405 Method Not Allowed"}, 2),
            ["static/vendor: not scanned. Nobody who knows of weaknesses could be asked from here."],
        ),
        (of_npm({"vulnerabilities": {}}, 2), ["static/vendor: no known weakness in 2 packages."]),
        (
            of_npm(OF_NPM, 2),
            ["static/vendor: 1 known in 2 packages.", "  plotly: high, Prototype pollution"],
        ),
    ],
)
def test_it_says_what_was_found_and_of_what_nobody_was_asked(scan, said):
    assert sentences(scan) == said


@pytest.mark.parametrize(("of", "status"), [(WEAK, 1), (SOUND, 0), (UNKNOWN, 0)])
def test_it_fails_where_something_was_found(monkeypatch, of, status):
    monkeypatch.setattr(scan_dependencies, "_python", lambda _, file: of_python(file, {"dependencies": [of]}))
    monkeypatch.setattr(scan_dependencies, "_npm", lambda: of_npm({}, 2))
    assert scan_dependencies.main("pip-audit") == status


def test_a_tool_that_says_nothing_has_asked_nobody(tmp_path):
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!{sys.executable}\nprint('No known vulnerabilities found')\n")
    tool.chmod(0o755)
    assert subprocess.run([tool], capture_output=True).returncode == 0
    assert scan_dependencies._python(str(tool), "requirements.txt").asked == 0


def test_a_tool_that_waits_in_vain_has_asked_nobody_and_the_other_is_asked_still(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(scan_dependencies, "WITHIN", 0.2)
    monkeypatch.setattr(scan_dependencies, "_npm", lambda: of_npm(OF_NPM, 2))
    tool = tmp_path / "pip-audit"
    tool.write_text("#!/bin/sh\nexec sleep 30\n")
    tool.chmod(0o755)
    assert scan_dependencies.main(str(tool)) == 1
    said = capsys.readouterr().out
    assert "requirements.txt: not scanned." in said
    assert "plotly: high" in said
