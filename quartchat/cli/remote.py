"""What the commands share that talk to a running server: where it is, and as whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from quartchat.cli.options import read_settings, settings_options, told

if TYPE_CHECKING:
    from quartchat.client import Client

F = TypeVar("F", bound=Callable[..., Any])


def remote_options(function: F) -> F:
    """--url, and --as NAME on the server's own folder, or a token."""
    for option in (
        click.option(
            "--url",
            default="http://127.0.0.1:8000",
            show_default=True,
            help="Address of the server.",
        ),
        click.option("--as", "name", default=None, help="Act as this user of the folder --data."),
        click.option(
            "--token",
            envvar="QUARTCHAT_TOKEN",
            default=None,
            help="Access token; better in the environment variable QUARTCHAT_TOKEN.",
        ),
        settings_options(only=["data"]),
    ):
        function = option(function)
    return function


def connect(
    url: str, name: str | None, token: str | None, config_file: Path | None, data: Path | None
) -> Client:
    """A client for these options. Raises ClickException when they do not say who one is."""
    from quartchat.client import Client  # noqa: PLC0415

    notice = lambda text: click.echo(text, err=True)  # noqa: E731
    try:
        if name is not None:
            settings = read_settings(config_file, {"data": data})
            return Client(url, _minting(settings, name), notice=notice)
        if token:
            return Client(url, token, notice=notice)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    raise click.UsageError("Say who you are: --as NAME (with --data), or QUARTCHAT_TOKEN.")


def _minting(settings: Any, name: str) -> Callable[[], Coroutine[Any, Any, str]]:
    async def fresh() -> str:
        from quartchat.chat import people  # noqa: PLC0415
        from quartchat.cli.folder import opened  # noqa: PLC0415
        from quartchat.errors import UserNotFound  # noqa: PLC0415

        async with opened(settings, make=False) as services:
            row = await people.find(services.core, name)
            if row is None:
                raise UserNotFound(f"There is no user {name!r} in {settings.data}.")
            seconds = settings.access_token_seconds
            return services.tokens.issue(row.id, row.name, None, seconds)

    return fresh


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run it; what went wrong is a line, and Ctrl+C ends quietly."""
    from quartchat.client import ClientError  # noqa: PLC0415

    try:
        with told():
            asyncio.run(main)
    except ClientError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
