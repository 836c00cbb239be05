"""The catalogues of translations, made from the sources: `python tests/support/catalogues.py`.

Reads the texts out of quartchat/, templates/ and static/js/, brings them into
quartchat/locale/*.po (what is there stays, what is gone goes), and compiles each to `.mo`,
and to `.json` for what scripts use. Translators edit the `.po` and run it once more.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from gettext import c2py
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_javascript
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from quartchat import errors
from quartchat.locale.language import DEFAULT, LOCALES
from quartchat.locale.texts import FOLDER

ROOT = Path(__file__).parents[2]
CODES = [code for code in LOCALES if code != DEFAULT]
SCRIPTS = "static/js/"
IN_PYTHON = {"_": 1, "gettext": 1, "later": 1, "ngettext": 2}
IN_SCRIPTS = {"t": None, "tn": (1, 2)}
IN_TEMPLATES = {"_": None, "gettext": None, "ngettext": (1, 2)}
REFUSALS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.ChatError)
}
TEMPLATE_OPTIONS = {
    "newstyle_gettext": "true",
    "trimmed": "true",
    "silent": "false",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
}
# The same texts make the same bytes, whenever they are compiled: history knows the dates.
NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)
UNTOLD = re.compile(
    rb'^"(Report-Msgid|POT-Creation|PO-Revision|Last-T|Language-T|Generated|Project).*\n', re.M
)


@dataclass(frozen=True)
class Mixed:
    """Code where a text should stand: put together when the program runs, it has no
    translation."""

    code: str


Text = str | tuple[str, ...] | Mixed
Found = Iterator[tuple[int, Text]]


def texts_in_python(source: str) -> Found:
    """What is marked, and the messages of refusals: of their classes, and where one is made."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name in REFUSALS:
            yield from _messages(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            if node.func.id in REFUSALS:
                yield from ((node.lineno, text) for text in _constants(node.args[0]))
            elif wanted := IN_PYTHON.get(node.func.id):
                yield from _marked(node, wanted)


def _messages(node: ast.ClassDef) -> Found:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "message":
            yield from ((statement.lineno, text) for text in _constants(statement.value))


def _marked(node: ast.Call, wanted: int) -> Found:
    found = [text for argument in node.args[:wanted] for text in _constants(argument)]
    plain = [text for text in found if isinstance(text, str)]
    if wanted == 2 and len(plain) == len(found) == 2:
        yield node.lineno, (plain[0], plain[1])
    else:
        yield from ((node.lineno, text) for text in found)


def _constants(node: ast.expr) -> Iterator[str | Mixed]:
    """The text, or both of a choice. A name is of a text that was marked where it is written."""
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.Constant):
        yield from [node.value] if isinstance(node.value, str) else []
    elif not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        yield Mixed(ast.unparse(node))


def texts_in_template(source: str) -> Found:
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    for call in tree.find_all(nodes.Call):
        name = getattr(call.node, "name", "")
        if name in IN_TEMPLATES and call.args and not isinstance(call.args[0], nodes.Const):
            yield call.lineno, Mixed(f"{name}(…)")
    found = extract("jinja2.ext:babel_extract", _file(source), IN_TEMPLATES, (), TEMPLATE_OPTIONS)
    for line, text, _comments, _context in found:
        yield line, text


def texts_in_script(source: str) -> Found:
    found = extract(extract_javascript, _file(source), IN_SCRIPTS, (), {})
    for line, text, _comments, _context in found:
        yield line, text


def _file(source: str) -> IO[bytes]:
    return BytesIO(source.encode())


# The command line and the edge in front of the application speak English.
ENGLISH = ("quartchat/cli/", "quartchat/imports/", "quartchat/client/", "quartchat/server/")
KINDS = (
    ("quartchat/**/*.py", texts_in_python),
    ("templates/**/*.html", texts_in_template),
    (SCRIPTS + "**/*.js", texts_in_script),
)


def template() -> tuple[Catalog, list[str]]:
    """All texts of the sources, each with the files that it stands in; and the places where
    code stands instead of a text."""
    catalog, mixed = Catalog(project="quartchat"), []
    for pattern, texts_in in KINDS:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(ENGLISH):
                continue
            for line, text in texts_in(path.read_text(encoding="utf-8")):
                if isinstance(text, Mixed):
                    mixed.append(f"{name}:{line}: {text.code}")
                else:
                    catalog.add(text, locations=[(name, line)])
    return catalog, mixed


def read(code: str) -> Catalog:
    path = FOLDER / f"{code}.po"
    if not path.exists():
        return _settled(Catalog(locale=code, fuzzy=False))
    with path.open("rb") as file:
        return _settled(read_po(file, locale=code))


def _settled(catalog: Catalog) -> Catalog:
    catalog.creation_date = catalog.revision_date = NO_DATE
    catalog.project, catalog.version = "quartchat", "1"
    catalog.fuzzy, catalog.header_comment = False, "# quartchat"
    return catalog


def source_of(catalog: Catalog) -> bytes:
    """The catalogue as a `.po`."""
    out = BytesIO()
    write_po(out, catalog, width=100, ignore_obsolete=True, sort_by_file=True, include_lineno=False)
    return UNTOLD.sub(b"", out.getvalue())


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as a `.mo`."""
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def for_scripts(catalog: Catalog) -> str:
    """What scripts need of it, as JSON that may stand inside HTML: a text as `{text: text}`,
    one with a number as `{text: {one, few, many, other}}`."""
    used = (message for message in catalog if message.id and _is_ready(message))
    found = dict(
        sorted(
            _entry(catalog, message)
            for message in used
            if any(name.startswith(SCRIPTS) for name, _ in message.locations)
        )
    )
    return json.dumps(found, ensure_ascii=False, indent=0).replace("<", "\\u003c") + "\n"


def _is_ready(message: Message) -> bool:
    strings = message.string if message.pluralizable else (message.string,)
    return all(strings) and not message.fuzzy


def _entry(catalog: Catalog, message: Message) -> tuple[str, Any]:
    if not message.pluralizable:
        return message.id, message.string
    index, rule = c2py(catalog.plural_expr), Locale.parse(str(catalog.locale)).plural_form
    forms = {rule(n): message.string[index(n)] for n in range(200)}
    return message.id[0], {"other": message.string[-1], **forms}


def main() -> None:
    texts, mixed = template()
    for code in CODES:
        catalog = read(code)
        catalog.update(texts, no_fuzzy_matching=True)
        catalog = _settled(catalog)
        (FOLDER / f"{code}.po").write_bytes(source_of(catalog))
        catalog = read(code)
        (FOLDER / f"{code}.mo").write_bytes(compiled(catalog))
        (FOLDER / f"{code}.json").write_text(for_scripts(catalog), encoding="utf-8")
        missing = sum(not _is_ready(message) for message in catalog if message.id)
        sys.stdout.write(f"{code}: {len(catalog)} texts, {missing} without a translation\n")
    if mixed:
        sys.exit("\n".join(["Write these as a text with {names}:", *mixed]))


if __name__ == "__main__":
    main()
