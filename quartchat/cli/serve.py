"""`quartchat serve`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from quartchat.cli.options import read_settings, settings_options, told
from quartchat.config import Settings

if TYPE_CHECKING:
    from quartchat.server.tls import Certificate


@click.command()
@settings_options()
def command(config_file: Path | None, **flags: Any) -> None:
    """Run the server: one process, one SQLite file.

    The first line on standard output is the address. Settings come from flags, environment,
    a TOML file (--config) and defaults, in this order. Stop it with Ctrl+C or SIGTERM: open
    streams are told, and nothing that was acknowledged is lost. With --certfile and --keyfile
    it serves https and HTTP/2; a renewed certificate is taken within a minute, or on SIGHUP.
    """
    settings = read_settings(config_file, flags)
    from quartchat.logs import configure  # noqa: PLC0415  (the server's parts load slowly)
    from quartchat.server.run import run  # noqa: PLC0415

    configure(settings.log_format, settings.log_level)
    with told():
        sys.exit(run(lambda stop: _serve(settings, stop)))


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    from quartchat.app import create_app  # noqa: PLC0415
    from quartchat.assemble import limits_of  # noqa: PLC0415
    from quartchat.folderlock import lock  # noqa: PLC0415
    from quartchat.server.asgi import App  # noqa: PLC0415
    from quartchat.server.run import serve  # noqa: PLC0415
    from quartchat.server.sockets import address, open_socket  # noqa: PLC0415
    from quartchat.storage.opening import made_ready  # noqa: PLC0415
    from quartchat.welcome import first_steps  # noqa: PLC0415

    with told():
        lock(settings.data)
        certificate = _certificate(settings)
        sock = open_socket(settings.host, settings.port)
        app = create_app(settings)
        services = app.extensions["quartchat"]
        await made_ready(services.storage)  # here what is wrong is a line, not a traceback
    where = address(sock, "https" if certificate else "http")
    welcome: set[asyncio.Task[None]] = set()

    def ready() -> None:
        if certificate and hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, certificate.renew)
        print(where, flush=True)
        welcome.add(asyncio.create_task(first_steps(services, where)))

    with told():
        await serve(
            cast(App, app),
            sock,
            stop=stop,
            drain=services.sessions.drain,
            ready=ready,
            limits=limits_of(settings),
            drain_seconds=settings.drain_seconds,
            certificate=certificate,
        )


def _certificate(settings: Settings) -> Certificate | None:
    from quartchat.server.tls import Certificate  # noqa: PLC0415

    if not settings.certfile:
        return None
    return Certificate(Path(settings.certfile), Path(settings.keyfile))
