"""Imports go down only: the order of the house, read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import quartchat

ROOT = Path(quartchat.__file__).parent
# Whoever stands in one line may import from the lines above, and from its own package.
LAYERS = [
    {"errors", "config", "events", "paths", "addresses", "locale"},
    {"limits", "protocol"},
    {"auth", "store", "media", "storage", "doctor"},
    {"bus"},
    {"chat"},
    {"delivery", "operator"},
    {"services"},
    {"access"},
    {"transports"},
    {"web", "server", "imports"},
    {"assemble", "folderlock", "logs", "welcome"},
    {"app"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FREE = {"__main__"}  # starts the command line, and is imported by nobody
FOR_CLIENTS = {"errors", "events", "protocol", "limits"}
FRAMEWORKS = {"quart", "hypercorn", "werkzeug", "sse_starlette", "starlette"}
DOMAIN = {
    "doctor",
    "store",
    "media",
    "storage",
    "bus",
    "chat",
    "delivery",
    "auth",
    "limits",
    "protocol",
    "events",
    "errors",
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts != ("__init__",):
            yield ".".join(parts), path


def imports(path: Path) -> set[str]:
    """Dotted names of all that a file imports, wherever in the file it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(path: Path) -> set[str]:
    """The parts of the package that a file imports from, its version aside."""
    names = [name.split(".") for name in imports(path)]
    return {name[1] for name in names if name[0] == "quartchat" and len(name) > 1} - {"__version__"}


ALL = dict(modules())


@pytest.mark.parametrize("name", ALL)
def test_a_module_imports_only_what_stands_below_it(name: str) -> None:
    part = name.partition(".")[0]
    used = ours(ALL[name]) - {part}
    if part in FREE:
        return
    if part == "client":
        assert used <= FOR_CLIENTS, f"a client also imports {sorted(used - FOR_CLIENTS)}"
        return
    above = {other for other in used if LEVEL.get(other, -1) >= LEVEL[part]}
    assert not above, f"quartchat.{name} imports {sorted(above)}"


@pytest.mark.parametrize("name", [n for n in ALL if n.partition(".")[0] in DOMAIN])
def test_domain_code_knows_no_web_framework(name: str) -> None:
    roots = {one.partition(".")[0] for one in imports(ALL[name])}
    assert not roots & FRAMEWORKS


@pytest.mark.parametrize("name", [n for n in ALL if n.partition(".")[0] == "server"])
def test_the_edge_knows_neither_the_framework_nor_the_chats(name: str) -> None:
    roots = {one.partition(".")[0] for one in imports(ALL[name])}
    assert not roots & {"quart"}
    assert ours(ALL[name]) <= {"server", "errors"}


def test_only_the_configuration_reads_the_environment() -> None:
    def reads(path: Path) -> bool:
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        return any(
            (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
            or (isinstance(node, ast.alias) and node.name in ("environ", "environb", "getenv"))
            for node in tree
        )

    readers = {name for name, path in ALL.items() if reads(path)}
    assert readers == {"config"}


def test_only_one_module_puts_the_parts_together() -> None:
    """Nobody else makes a store, a writer, a feed or a registry of sessions."""
    makers = {"Writer", "Feed", "Sessions", "LocalBus", "Services", "Tail", "Scopes"}

    def makes(path: Path) -> set[str]:
        calls = (
            node.func
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        )
        return {call.id for call in calls if isinstance(call, ast.Name)} & makers

    together = {name for name, path in ALL.items() if makes(path)}
    assert {name.partition(".")[0] for name in together} == {"assemble"}


def test_every_part_of_the_package_has_its_place() -> None:
    parts = {name.partition(".")[0] for name in ALL}
    assert parts <= LEVEL.keys() | FREE | {"client"}
