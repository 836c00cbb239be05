"""Settings as flags, and how errors of the command line are shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from quartchat.config import Settings, SettingsError, env_name, kind, load
from quartchat.errors import ChatError
from quartchat.server.sockets import ServerStartError
from quartchat.store.migrate import MigrationError

F = TypeVar("F", bound=Callable[..., Any])
TYPES: dict[type, Any] = {str: str, int: int, float: float, Path: click.Path(path_type=Path)}
EXPECTED = (ChatError, SettingsError, ServerStartError, MigrationError, OSError)


def settings_options(only: Iterable[str] | None = None) -> Callable[[F], F]:
    """A flag per setting (or for some), and --config."""
    wanted = None if only is None else set(only)

    def decorate(function: F) -> F:
        for spec in reversed(dataclasses.fields(Settings)):
            if wanted is None or spec.name in wanted:
                function = _option(spec)(function)
        config = click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path, dir_okay=False),
            envvar="QUARTCHAT_CONFIG",
            help="TOML file of settings.",
        )
        return config(function)

    return decorate


def _option(spec: dataclasses.Field[Any]) -> Callable[[F], F]:
    flag = "--" + spec.name.replace("_", "-")
    text = f"{spec.metadata['help']}  [{env_name(spec.name)}; {_shown(spec.default)}]"
    wanted = kind(spec.name)
    if spec.name == "no_limits":
        return click.option(flag, is_flag=True, default=None, help=text)
    if wanted is bool:
        return click.option(f"{flag}/--no-{flag[2:]}", default=None, help=text)
    if wanted is tuple:
        return click.option(flag, multiple=True, callback=_none_if_empty, help=text)
    return click.option(flag, type=TYPES[wanted], default=None, help=text)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"default {default}" if default not in ("", ()) else "default: none"


def _none_if_empty(_context: Any, _parameter: Any, value: tuple[str, ...]) -> Any:
    return value or None


def read_settings(config_file: Path | None, flags: dict[str, Any]) -> Settings:
    with told():
        return load(flags, file=config_file)


@contextmanager
def told() -> Iterator[None]:
    """Errors that a person can mend are a line and exit code 1, without a traceback."""
    try:
        yield
    except BrokenPipeError:  # whoever read our output has enough: click ends quietly
        raise
    except EXPECTED as error:
        raise click.ClickException(str(error)) from error
