"""Real proxies that hold a page back until it ends, each on a free port in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

START_SECONDS = 40.0
DEBIANS_PRIVOXY = Path("/etc/privoxy/config")


@dataclass(frozen=True)
class Door:
    """Where a browser goes to reach the site: its address, and the proxy that it is told."""

    url: str
    proxy: str | None = None


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def program(name: str, install: str) -> str:
    """Its path; without it the test is skipped."""
    path = os.environ.get(name.upper()) or shutil.which(
        name, path=f"{os.environ['PATH']}:/usr/sbin"
    )
    if not path:
        pytest.skip(install)
    return path


@asynccontextmanager
async def started(folder: Path, port: int, *command: str) -> AsyncIterator[None]:
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, cwd=folder)
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await _answers(port):
                assert process.returncode is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def direct(folder: Path, site: int) -> AsyncIterator[Door]:
    yield Door(f"http://127.0.0.1:{site}")


@asynccontextmanager
async def privoxy(folder: Path, site: int) -> AsyncIterator[Door]:
    """As Debian configures it: it rewrites pages, and takes long refreshes out of them."""
    path, port = program("privoxy", "apt-get install privoxy"), free_port()
    lines = DEBIANS_PRIVOXY.read_text().splitlines()
    kept = [line for line in lines if not re.match(r"(listen-address|logdir|user-manual)\s", line)]
    config = folder / "config"
    config.write_text("\n".join([*kept, f"listen-address 127.0.0.1:{port}", f"logdir {folder}\n"]))
    async with started(folder, port, path, "--no-daemon", str(config)):
        yield Door(f"http://127.0.0.1:{site}", f"http://127.0.0.1:{port}")


@asynccontextmanager
async def mitmproxy(folder: Path, site: int) -> AsyncIterator[Door]:
    path = program("mitmdump", "pip install mitmproxy, and name its mitmdump in MITMDUMP")
    port = free_port()
    command = [path, "-q", "--listen-host", "127.0.0.1", "-p", str(port)]
    async with started(folder, port, *command, "--set", f"confdir={folder}"):
        yield Door(f"http://127.0.0.1:{site}", f"http://127.0.0.1:{port}")


NGINX = """
pid {folder}/pid; error_log {folder}/error; worker_processes 1; daemon off;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{site}; proxy_set_header Host $http_host;
      proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; {more}
    }}
  }}
}}
"""


@asynccontextmanager
async def nginx(folder: Path, site: int, more: str = "") -> AsyncIterator[Door]:
    """`more`: further lines for its configuration."""
    path, port = program("nginx", "apt-get install nginx"), free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, site=site, more=more))
    async with started(folder, port, path, "-e", str(folder / "error"), "-c", str(config)):
        yield Door(f"http://127.0.0.1:{port}")


Start = Callable[[Path, int], AbstractAsyncContextManager[Door]]
DIRECT: dict[str, Start] = {"direct": direct}
HOLDING: dict[str, Start] = {"privoxy": privoxy, "mitmproxy": mitmproxy, "nginx": nginx}
