"""The sentences of the client's form in its languages: locale/<language>/LC_MESSAGES/django.po and .mo.

    python scripts/messages.py            take new sentences into every .po, drop old ones, compile the .mo
    python scripts/messages.py --check    only say what is missing, uncertain or not compiled

Beside a language that addresses a child otherwise stands a second one, as de_X-child: its .po holds only what is said
otherwise, its .mo everything.

Plain Python, so that nobody needs the gettext tools: a clone runs with the .mo files it comes with, and any
editor of .po files can translate. `makemessages` of Django gives the same files where the tools are.
"""

import argparse
import ast
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
FILE = Path("LC_MESSAGES") / "django.po"
TO_A_CHILD = "_X-child"
SPOKEN = {"_", "gettext", "gettext_lazy"}
APPS = ("alliance", "clients", "sessions_app")
PAGES = ("rate", "go", "room", "together", "pass")


# --- What is to be said --------------------------------------------------------------------------


def sentences() -> dict[str, list[str]]:
    """Every sentence a client may read, with the files that say it, in the order of the files."""
    said: dict[str, list[str]] = {}
    for path, sentence in [*_of_pages(), *_of_modules()]:
        places = said.setdefault(sentence, [])
        name = path.relative_to(ROOT).as_posix()
        if name not in places:
            places.append(name)
    return said


def _of_modules() -> Iterator[tuple[Path, str]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _name_of(node.func) in SPOKEN:
                    yield path, ast.literal_eval(node.args[0])


def _name_of(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _of_pages() -> Iterator[tuple[Path, str]]:
    from django.template.base import Origin, Template
    from django.template.engine import Engine
    from django.templatetags.i18n import BlockTranslateNode, TranslateNode

    engine = Engine(libraries={name: f"django.templatetags.{name}" for name in ("i18n", "l10n", "static")})
    for path in (page for folder in PAGES for page in sorted((ROOT / "templates" / folder).glob("*.html"))):
        nodes = Template(path.read_text("utf-8"), Origin(str(path)), engine=engine).nodelist
        for node in nodes.get_nodes_by_type((TranslateNode, BlockTranslateNode)):
            if isinstance(node, TranslateNode):
                yield path, node.filter_expression.var.literal
            else:
                yield path, _sentence_of(node)


def _sentence_of(node) -> str:
    if node.plural:
        raise NotImplementedError("Plural forms are avoided: Arabic has six.")
    return node.render_token_list(node.singular)[0]


# --- The files -----------------------------------------------------------------------------------


class Catalogue:
    """One .po file: its header, and for each sentence its translation and whether that is uncertain."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.translations: dict[str, str] = {}
        self.fuzzy: set[str] = set()
        for block in path.read_text("utf-8").split("\n\n"):
            self._read(block)

    def _read(self, block: str) -> None:
        parts = {"msgid": "", "msgstr": ""}
        part, flags = "", ""
        for line in block.splitlines():
            if line.startswith("#"):
                flags += line if line.startswith("#,") else ""
                continue
            keyword, _, rest = line.partition(" ") if not line.startswith('"') else (part, "", line)
            part = keyword
            parts[part] += ast.literal_eval(rest)
        if part:
            self.translations[parts["msgid"]] = parts["msgstr"]
            if "fuzzy" in flags and parts["msgid"]:
                self.fuzzy.add(parts["msgid"])

    @property
    def language(self) -> str:
        return self.path.parent.parent.name

    def problems(self, said: dict[str, list[str]]) -> list[str]:
        """What keeps a reader of this language from reading everything; empty where all is well."""
        held = {sentence for sentence in self.translations if sentence}
        asked = held & set(said) if self.around else said
        found = [f"not translated: {one}" for one in asked if not self.translations.get(one)]
        found += [f"uncertain: {one}" for one in sorted(self.fuzzy)]
        found += [f"no longer said: {one}" for one in sorted(held - set(said))]
        if not self.compiled.exists() or self.compiled.read_bytes() != self.compile():
            found.append("not compiled")
        return [f"{self.language}: {one}" for one in found]

    @property
    def around(self) -> "Catalogue | None":
        """What is said where this one holds nothing: that of the language, of one in which a child is spoken to."""
        if TO_A_CHILD not in self.language:
            return None
        return Catalogue(self.path.parent.parent.with_name(self.language.removesuffix(TO_A_CHILD)) / FILE)

    @property
    def compiled(self) -> Path:
        return self.path.with_suffix(".mo")

    def compile(self) -> bytes:
        """The .mo: sorted sentences, so that the same .po always gives the same bytes."""
        whole = {k: v for k, v in self.translations.items() if v and k not in self.fuzzy}
        if self.around:
            whole = self.around.translations | whole
        pairs = sorted((key.encode(), value.encode()) for key, value in whole.items())
        offset, tables, data = 28 + 16 * len(pairs), ([], []), b""
        for table, texts in zip(tables, zip(*pairs, strict=True), strict=True):
            for text in texts:
                table.append(struct.pack("<2I", len(text), offset + len(data)))
                data += text + b"\0"
        header = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
        return header + b"".join(tables[0] + tables[1]) + data

    def write(self, said: dict[str, list[str]]) -> None:
        blocks = [_entry("", self.translations[""])]
        for sentence, places in said.items():
            if self.around and sentence not in self.translations:
                continue
            notes = [f"#: {' '.join(places)}"]
            if sentence in self.fuzzy:
                notes.append("#, fuzzy")
            if "%(" in sentence:
                notes.append("#, python-format")
            blocks.append("\n".join([*notes, _entry(sentence, self.translations.get(sentence, ""))]))
        self.path.write_text("\n\n".join(blocks) + "\n", "utf-8")
        self.__init__(self.path)
        self.compiled.write_bytes(self.compile())


def _entry(sentence: str, translation: str) -> str:
    return f"msgid {_quoted(sentence)}\nmsgstr {_quoted(translation)}"


def _quoted(text: str) -> str:
    def quote(part: str) -> str:
        return '"' + part.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    lines = text.splitlines(keepends=True)
    return quote(text) if len(lines) < 2 else "\n".join(['""', *map(quote, lines)])


def catalogues() -> list[Catalogue]:
    return [one for one in _all() if one.around is None]


def to_children() -> list[Catalogue]:
    return [one for one in _all() if one.around is not None]


def _all() -> list[Catalogue]:
    return [Catalogue(path) for path in sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    only_look = parser.parse_args().check
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    said, problems = sentences(), []
    for catalogue in [*catalogues(), *to_children()]:
        if not only_look:
            catalogue.write(said)
        problems += catalogue.problems(said)
    if problems:
        print("\n".join(problems))
    elif not only_look:
        print(f"{len(said)} sentences, complete in every language.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
