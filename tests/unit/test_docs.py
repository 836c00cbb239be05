"""What the documents say is what the code does: settings, commands, and the wire's names."""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import quartchat
from quartchat import errors
from quartchat.chat.commands import TABLE
from quartchat.cli import main
from quartchat.cli.serve import command as serve
from quartchat.config import Settings, env_name

SOURCES = Path(quartchat.__file__).parent
ROOT = SOURCES.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
FIELDS = {spec.name: spec for spec in dataclasses.fields(Settings)}


def section(text: str, title: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {title!r}"
    return found[1]


def rows() -> dict[str, list[str]]:
    """key -> flag, environment, default, help: the cells without their backquotes."""
    lines = [line for line in section(README, "Settings").splitlines() if line.startswith("| `")]
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]
    return {key: rest for key, *rest in cells}


def test_the_readme_lists_every_setting_in_its_order_and_no_other() -> None:
    assert list(rows()) == list(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_the_readme_says_of_each_setting_what_the_code_says(name: str) -> None:
    flag, environment, default, text = rows()[name]
    assert environment == env_name(name)
    assert text == FIELDS[name].metadata["help"]
    told = tomllib.loads(f"value = {default}")["value"]
    assert Settings(**{name: _as_field(name, told)}) == Settings()
    taken = [opt for param in serve.params for opt in (*param.opts, *param.secondary_opts)]
    assert flag in taken


def _as_field(name: str, told: Any) -> Any:
    kinds: dict[type, Any] = {tuple: tuple, float: float}
    default = FIELDS[name].default
    return Path(told) if isinstance(default, Path) else kinds.get(type(default), lambda v: v)(told)


def test_a_settings_file_of_the_readme_can_be_loaded(tmp_path: Path) -> None:
    from quartchat.config import load

    files = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert files
    for number, text in enumerate(files):
        path = tmp_path / f"{number}.toml"
        path.write_text(text, encoding="utf-8")
        assert load({}, file=path, environ={}) != Settings()


def commands(
    group: click.Command = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of the command line, groups included."""
    yield path, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


COMMANDS = dict(commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0, result.output
    assert COMMANDS[path].help


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_has_a_help_text(path: tuple[str, ...]) -> None:
    options = [one for one in COMMANDS[path].params if isinstance(one, click.Option)]
    assert [one.opts[0] for one in options if not one.help] == []


def examples() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", section(README, "Command line"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("line", examples())
def test_every_example_of_a_command_is_one(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line.rpartition("| ")[2])
    assert words[0] == "quartchat"
    path = max((p for p in COMMANDS if tuple(words[1 : 1 + len(p)]) == p), key=len)
    arguments = words[1 + len(path) :]
    for word in arguments:
        if word.endswith(".txt"):
            Path(word).touch()
    COMMANDS[path].make_context(" ".join(path), arguments)


def test_every_command_of_the_command_line_has_an_example() -> None:
    leaves = {path for path, one in COMMANDS.items() if not isinstance(one, click.Group)}
    shown = section(README, "Command line")
    assert [path for path in leaves if f"quartchat {' '.join(path)} " not in shown] == []


# What makes an event or an answer in the code takes its type as text.
MAKERS = {"Draft", "ephemeral", "_mark", "_announce", "_signal", "reply"}


def event_types() -> set[str]:
    found = {command.answer for command in TABLE.values() if command.answer}
    for path in SOURCES.rglob("*.py"):
        if "client" in path.relative_to(SOURCES).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in MAKERS:
                found |= {
                    one.value
                    for one in node.args
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return found


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def codes(kind: type[errors.ChatError] = errors.ChatError) -> set[str]:
    return {kind.code}.union(*(codes(below) for below in kind.__subclasses__()))


def test_the_search_for_event_types_finds_those_of_every_kind() -> None:
    assert {"new_message", "hello", "heartbeat", "user_online", "user_typing"} <= event_types()


@pytest.mark.parametrize("name", sorted({*TABLE, *event_types(), *codes(), "ping", "auth"}))
def test_the_protocol_names_every_command_event_type_and_error_code(name: str) -> None:
    assert re.search(rf'[`"]{name}[`"]', PROTOCOL), f"docs/protocol.md does not tell of {name}"


@pytest.mark.parametrize("kind", sorted(codes()))
def test_the_protocol_gives_each_error_code_its_status(kind: str) -> None:
    table = section(PROTOCOL, "Refusals and close codes")
    [row] = [line for line in table.splitlines() if line.startswith("|") and f"`{kind}`" in line]
    status = next(one.status for one in _classes() if one.code == kind)
    told = row.split("|")[2].strip()
    assert told in (str(status), "")


def _classes(kind: type[errors.ChatError] = errors.ChatError) -> Iterator[type[errors.ChatError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _classes(below)


# Pages, their forms and their parts; the choice of language and theme is for programs, too.
FOR_PEOPLE = re.compile(
    r"/(s|static|c|login|logout|signup|profile|settings|chats|people|friends|notifications|search"
    r"|rooms|invite|marks|admin|doctor|t/d)(/|$)|/$"
)
LOOK = {"/settings/look"}


def test_the_protocol_tells_of_every_address_for_programs(tmp_path: Path) -> None:
    from quartchat.app import create_app

    app = create_app(Settings(data=tmp_path))
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    machine = [rule for rule in rules if rule in LOOK or not FOR_PEOPLE.match(rule)]
    addresses = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule) for rule in machine}
    assert sorted(one for one in addresses if one not in PROTOCOL) == []


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "docs/protocol.md",
        "docs/embedding.md",
        "docs/client.md",
        "docs/doctor.md",
        "CHANGELOG.md",
    ],
)
def test_every_link_inside_the_project_leads_somewhere(name: str) -> None:
    path = ROOT / name
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    headings = {_anchor(title) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    for target in targets:
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        assert (path.parent / file).exists() if file else anchor in headings, target


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-")
