"""Fetch, trim and check the third-party files under static/vendor.

    python scripts/vendor.py            fetch every package again and rewrite versions.toml
    python scripts/vendor.py --check    compare the files with versions.toml; needs no network

To move to a newer version, change PACKAGES, run the first form, then the browser tests.
Needs npm for fetching and, for plotly.css, playwright with a Chromium (set CHROMIUM to its path).
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = "versions.toml"

# name here: (npm package, version, licence, files to keep)
PACKAGES = {
    "plotly": ("plotly.js-basic-dist-min", "4.1.1", "MIT", ["plotly-basic.min.js", "LICENSE"]),
    "simplecss": ("simpledotcss", "2.3.7", "MIT", ["simple.css", "LICENSE"]),
}

# plotly.js writes its rules into a <style> element, which the content security policy refuses.
# It leaves them out where it finds this element, so the same rules are served as a file.
LINK_NOTE = """\
/* The rules plotly.js {version} writes into a style element, dumped by scripts/vendor.py. Use:
   <link id="plotly.js-style-global" class="no-inline-styles" rel="stylesheet" href="plotly.css"> */
"""
DUMP_RULES = """() => [...document.getElementById("plotly.js-style-global").sheet.cssRules]
                      .map((rule) => rule.cssText)"""
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unpack(package, version, files, target):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=folder, check=True)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            for name in files:
                content = archive.extractfile(f"package/{name}").read()
                (target / name).write_bytes(without_source_map(content))


def without_source_map(content):
    """A source map is not vendored: its comment makes the static files storage look for it."""
    return re.sub(rb"\n?(//|/\*)# sourceMappingURL=\S+( ?\*/)?", b"", content)


def plotly_rules(bundle):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=CHROMIUM_FLAGS)
        page = browser.new_page()
        page.add_script_tag(path=bundle)
        rules = page.evaluate(DUMP_RULES)
        browser.close()
    return rules


def write_plotly_css(version):
    rules = plotly_rules(VENDOR / "plotly" / "plotly-basic.min.js")
    text = LINK_NOTE.format(version=version) + "\n".join(rules) + "\n"
    (VENDOR / "plotly" / "plotly.css").write_text(text)


def manifest():
    lines = ["# Written by scripts/vendor.py, which also checks it: the hashes are sha256."]
    for name, (package, version, licence, _) in sorted(PACKAGES.items()):
        lines += [
            "",
            f"[{name}]",
            f'package = "{package}"',
            f'version = "{version}"',
            f'licence = "{licence}"',
        ]
        lines += ["", f"[{name}.files]"]
        lines += [f'"{path.name}" = "{digest(path)}"' for path in sorted((VENDOR / name).iterdir())]
    return "\n".join(lines) + "\n"


def fetch():
    for name, (package, version, _, files) in PACKAGES.items():
        target = VENDOR / name
        target.mkdir(parents=True, exist_ok=True)
        unpack(package, version, files, target)
    write_plotly_css(PACKAGES["plotly"][1])
    (VENDOR / MANIFEST).write_text(manifest())


def differences(vendor=VENDOR):
    """What is missing, changed or not listed, as sentences; an empty list means all is well."""
    listed = {
        f"{name}/{file}": sha256
        for name, entry in tomllib.loads((vendor / MANIFEST).read_text()).items()
        for file, sha256 in entry["files"].items()
    }
    present = {path.relative_to(vendor).as_posix(): path for path in vendor.rglob("*") if path.is_file()}
    present.pop(MANIFEST)
    problems = [f"{name} is listed and missing" for name in listed.keys() - present.keys()]
    problems += [f"{name} is not listed" for name in present.keys() - listed.keys()]
    problems += [
        f"{name} is not the file that was fetched"
        for name in listed.keys() & present.keys()
        if digest(present[name]) != listed[name]
    ]
    return sorted(problems)


def main():
    parser = argparse.ArgumentParser(description="Fetch or check the files under static/vendor.")
    parser.add_argument("--check", action="store_true", help="only compare the files with versions.toml")
    if not parser.parse_args().check:
        fetch()
    problems = differences()
    print("\n".join(problems) or "static/vendor is as listed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
