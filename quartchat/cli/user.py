"""`quartchat user add`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from quartchat.cli.options import read_settings, settings_options, told


@click.group()
def command() -> None:
    """Make users."""


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


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _ask() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
