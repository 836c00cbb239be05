"""`quartchat import irc`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quartchat.cli.options import read_settings, settings_options, told

if TYPE_CHECKING:
    from quartchat.chat.importing import Said
    from quartchat.imports.irc import IrcLine
    from quartchat.services import Services

BATCH = 500
SHOWN = 20


@click.group()
def command() -> None:
    """Take in logs of other systems."""


@command.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--chat", required=True, help="Id or title of the room; made if there is none.")
@click.option(
    "--owner",
    default=None,
    help="Owner of a room that is made; else the first admin, or the oldest user.",
)
@settings_options(only=["data"])
def irc(
    files: tuple[Path, ...],
    chat: str,
    owner: str | None,
    config_file: Path | None,
    data: Path | None,
) -> None:
    """Take in channel logs of IRC, one file per day, with the day in its name.

    Lines are `[HH:MM] <nick> text`. Authors and times are kept: an author becomes a user whom
    nobody can log in as. Files are taken in the order of their days. Repeating it adds
    nothing. Works while a server runs on the same folder.
    """
    settings = read_settings(config_file, {"data": data})
    from quartchat.cli.folder import opened  # noqa: PLC0415

    async def work() -> Report:
        async with opened(settings) as services:
            return await _take_in(services, ordered, chat, owner)

    ordered = _by_day(files)
    with told():
        report = asyncio.run(work())
    report.show(len(ordered))


def _by_day(files: Sequence[Path]) -> list[Path]:
    """Those whose names have a day in them, in this order; the others are named and left out."""
    from quartchat.errors import Invalid  # noqa: PLC0415
    from quartchat.imports.irc import day_of  # noqa: PLC0415

    days = {}
    for path in files:
        try:
            days[path] = day_of(path.name)
        except Invalid as error:
            click.echo(f"Left out {path}: {error.message}", err=True)
    if not days:
        raise click.ClickException("None of the files can be taken in.")
    return sorted(days, key=lambda path: (days[path], path.name))


class Report:
    """What became of the lines."""

    def __init__(self) -> None:
        self.new = self.repeated = 0
        self.left_out: Counter[str] = Counter()
        self.unreadable: list[str] = []

    def show(self, files: int) -> None:
        click.echo(
            f"{self.new:,} messages taken in from {files} files; "
            f"{self.repeated:,} were there already."
        )
        if self.left_out:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.left_out.most_common())
            click.echo(f"Left out, because nobody said them: {kinds}.")
        if self.unreadable:
            click.echo(f"{len(self.unreadable):,} lines could not be read:", err=True)
            for line in self.unreadable[:SHOWN]:
                click.echo(f"  {line}", err=True)
            if len(self.unreadable) > SHOWN:
                click.echo(f"  and {len(self.unreadable) - SHOWN:,} more", err=True)


async def _take_in(
    services: Services, files: Sequence[Path], chat: str, owner: str | None
) -> Report:
    from quartchat.chat import importing  # noqa: PLC0415

    chat_id = await importing.open_room(services.core, chat, owner)
    report = Report()
    lines = _read(files, report)
    total = sum(path.read_bytes().count(b"\n") for path in files)
    with click.progressbar(length=total, label="Taking in", show_pos=True) as bar:
        while batch := _batch(lines):
            said = [one for _, one in batch if one is not None]
            new = await importing.put(services.core, chat_id, said) if said else 0
            report.new += new
            report.repeated += len(said) - new
            bar.update(len(batch))
    return report


def _batch(lines: Iterator[tuple[int, Said | None]]) -> list[tuple[int, Said | None]]:
    return [line for _, line in zip(range(BATCH), lines, strict=False)]


def _read(files: Sequence[Path], report: Report) -> Iterator[tuple[int, Said | None]]:
    """(line number, what was said or None), noting what is left out."""
    from quartchat.imports.irc import Unreadable, read_irc  # noqa: PLC0415

    for path in files:
        for line in read_irc(path):
            if isinstance(line, Unreadable):
                report.unreadable.append(f"{path.name}:{line.line_number}: {line.why}")
                yield line.line_number, None
            else:
                yield line.line_number, _said(line, report)


def _said(line: IrcLine, report: Report) -> Said | None:
    from quartchat.chat.importing import Said  # noqa: PLC0415

    if not line.is_said or not line.text.strip():
        report.left_out[line.kind if line.text.strip() else "empty"] += 1
        return None
    text = f"* {line.nick} {line.text}" if line.kind == "action" else line.text
    return Said(line.nick, text, line.at.timestamp(), line.key)
