"""`quartchat doctor`."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from quartchat.doctor.measured import Measured

BROKEN_OFF = 130


@click.command()
@click.argument("url")
@click.option("--quick", is_flag=True, help="Do not try how long silence is borne.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 90),
    default=20.0,
    show_default=True,
    help="How long to try silence; 70 shows the limits that most proxies come with.",
)
@click.option(
    "--proxy",
    default=None,
    help="Forward proxy to go by, http://HOST:PORT; else that of HTTP_PROXY and HTTPS_PROXY.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(url: str, quick: bool, seconds: float, proxy: str | None, as_json: bool) -> None:
    """Say what gets through to the server at URL from here, and what on the way breaks the rest.

    Tries WebSocket, streams, Server-Sent Events, long polling and POST, looks for what holds
    back, cuts, caches or alters, and prints what it means, what to do, and the lines for nginx,
    HAProxy, Apache and Caddy. Needs no account. Takes about half a minute, with --quick a few
    seconds; Ctrl+C shows what is known by then.

    Ends with 0 if all is well, 1 if something is hindered but a transport works, 2 if nothing
    works or no quartchat answers.
    """
    from quartchat.doctor.measured import Measured  # noqa: PLC0415
    from quartchat.doctor.probe import path, round_  # noqa: PLC0415

    m = Measured(url=_checked(url))
    way = _checked_proxy(proxy, path.proxy_for(m.url))
    wanted = 0.0 if quick else seconds
    try:
        asyncio.run(round_.run(m, proxy=way, seconds=wanted, say=_say))
    except KeyboardInterrupt:
        _print(m, as_json)
        sys.exit(BROKEN_OFF)
    sys.exit(_print(m, as_json))


def _checked(url: str) -> str:
    url = url if "://" in url else f"http://{url}"
    if not _is_web(url):
        raise click.UsageError("The address is like https://chat.example.org.")
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


def _checked_proxy(given: str | None, known: str | None) -> str | None:
    """The proxy to go by: the one that was given, else the one that this machine is set to."""
    if given is not None and not _is_web(given):
        raise click.UsageError("--proxy takes http://HOST:PORT.")
    if given is None and known is not None and not _is_web(known):
        _say("The proxy that this machine is set to is none for HTTP; going straight.")
        return None
    return given or known


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _say(line: str) -> None:
    click.echo(line, err=True)


def _print(m: Measured, as_json: bool) -> int:
    """Prints the report; its outcome is the exit code."""
    from quartchat.doctor import report  # noqa: PLC0415

    click.echo(report.as_json(m) if as_json else report.as_text(m), nl=as_json)
    return int(report.view(m)["outcome"])
