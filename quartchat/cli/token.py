"""`quartchat token`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from quartchat.cli.options import read_settings, settings_options, told


@click.command()
@click.argument("name")
@click.option("--seconds", type=click.IntRange(1), default=None, help="Its life; else as set.")
@settings_options(only=["data"])
def command(
    name: str,
    seconds: int | None,
    config_file: Path | None,
    data: Path | None,
) -> None:
    """Print an access token of the user NAME: for curl, scripts and tests.

    Whoever has it is the user until it expires, so it goes into a header
    (Authorization: Bearer …), never into an address.
    """
    settings = read_settings(config_file, {"data": data})
    from quartchat.chat import people  # noqa: PLC0415
    from quartchat.cli.folder import opened  # noqa: PLC0415
    from quartchat.errors import UserNotFound  # noqa: PLC0415

    async def work() -> str:
        async with opened(settings, make=False) as services:
            row = await people.find(services.core, name)
            if row is None:
                raise UserNotFound(f"There is no user {name!r} in {settings.data}.")
            life = seconds or settings.access_token_seconds
            return services.tokens.issue(row.id, row.name, None, life)

    with told():
        click.echo(asyncio.run(work()))
