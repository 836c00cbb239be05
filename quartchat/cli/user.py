"""`quartchat user`: the people of a data folder. All of it works while a server runs on it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quartchat.cli.options import read_settings, settings_options, told
from quartchat.config import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from quartchat.services import Services

AT_ONCE = 500


@click.group()
def command() -> None:
    """Make, list, change and remove users."""


@command.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--email", default=None, help="Shown to those who share a chat with the user.")
@click.option("--admin", is_flag=True, help="Make an administrator.")
@settings_options(only=["data"])
def add(
    name: str,
    password_stdin: bool,
    email: str | None,
    admin: bool,
    config_file: Path | None,
    data: Path | None,
) -> None:
    """Make the user NAME and print their id. Works while the server runs.

    Without --password-stdin the password is asked for.
    """
    settings = read_settings(config_file, {"data": data})
    password = _read_password() if password_stdin else _ask()
    from quartchat.chat import people  # noqa: PLC0415
    from quartchat.cli.folder import opened  # noqa: PLC0415

    async def work() -> str:
        async with opened(settings) as services:
            row = await people.create(services.core, name, password, email, is_admin=admin)
            return str(row.id)

    with told():
        click.echo(asyncio.run(work()))


@command.command("list")
@click.argument("text", default="")
@settings_options(only=["data"])
def list_(text: str, config_file: Path | None, data: Path | None) -> None:
    """List users, by name; with TEXT those whose name or email holds it.

    A line each, parted by tabs: id, name, "admin" or "user", when they were last seen (UTC),
    email. What there is not is a "-".
    """
    settings = read_settings(config_file, {"data": data})
    from quartchat.cli.folder import opened  # noqa: PLC0415

    async def work() -> None:
        async with opened(settings, make=False) as services:
            async for row in _users(services, text):
                click.echo(_line(row))

    with told():
        asyncio.run(work())


async def _users(services: Services, text: str) -> AsyncIterator[Any]:
    """The rows of those who were not removed, by name."""
    first = 0
    while True:
        rows = await services.database.read(partial(_page, text, first))
        for row in rows:
            if row.removed_at is None:
                yield row
        if len(rows) < AT_ONCE:
            return
        first += AT_ONCE


async def _page(text: str, offset: int, connection: AsyncConnection) -> list[Any]:
    from quartchat.store.overview import list_users  # noqa: PLC0415

    return await list_users(connection.execute, text, offset, AT_ONCE)


def _line(row: Any) -> str:
    from quartchat.events import rfc3339  # noqa: PLC0415

    seen = "-" if row.last_seen is None else rfc3339(row.last_seen)
    role = "admin" if row.is_admin else "user"
    return "\t".join((row.id, row.name, role, seen, row.email or "-"))


@command.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@settings_options(only=["data"])
def passwd(name: str, password_stdin: bool, config_file: Path | None, data: Path | None) -> None:
    """Set a new password for the user NAME, and end their logins.

    What they have open on a running server ends with its access token, within some minutes.
    """
    settings = read_settings(config_file, {"data": data})
    password = _read_password() if password_stdin else _ask()
    with told():
        asyncio.run(
            _on_user(
                settings,
                name,
                lambda services, id_: services.accounts.set_password(id_, password, by=None),
            )
        )


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@settings_options(only=["data"])
def remove(name: str, yes: bool, config_file: Path | None, data: Path | None) -> None:
    """Remove the user NAME: their account, their name, and the text of all that they wrote.

    There is no way back. Their messages stay as deleted ones.
    """
    settings = read_settings(config_file, {"data": data})
    if not yes:
        click.confirm(f"Remove {name} and all that they wrote, for good?", abort=True, err=True)
    with told():
        asyncio.run(
            _on_user(settings, name, lambda services, id_: services.accounts.remove(id_, by=None))
        )


async def _on_user(
    settings: Settings, name: str, work: Callable[[Services, str], Awaitable[None]]
) -> None:
    """Raises UserNotFound."""
    from quartchat.chat import people  # noqa: PLC0415
    from quartchat.cli.folder import opened  # noqa: PLC0415
    from quartchat.errors import UserNotFound  # noqa: PLC0415

    async with opened(settings, make=False) as services:
        row = await people.find(services.core, name)
        if row is None:
            raise UserNotFound(f"There is no user {name!r} in {settings.data}.")
        await work(services, str(row.id))


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _ask() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
