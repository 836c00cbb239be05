"""A folder, free ports and processes for one proxy; all of it is gone when the place is left."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import tempfile
from asyncio.subprocess import Process
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from proxies.programs import find

START_SECONDS = 40.0
STOP_SECONDS = 5.0
# Ends what was started when the tests themselves are killed.
WITH_US = ("setpriv", "--pdeathsig", "TERM", "--") if shutil.which("setpriv") else ()
_given: set[int] = set()


def free_port() -> int:
    """One that nobody listens on, and that was not given out before."""
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port: int = sock.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


class Place:
    """`up`: port of the site on plain http, `tls`: the same with TLS and HTTP/2. `ports`: those
    that a place before this one had; each gives them out again in the same order, and adds what
    is lacking."""

    def __init__(
        self, name: str, up: int, tls: int, certificate: Path, ports: list[int] | None = None
    ) -> None:
        self._ports, self._given = [] if ports is None else ports, 0
        self.name, self.up, self.tls, self.certificate = name, up, tls, certificate
        short = "".join(filter(str.isalnum, name))[:20]
        self.folder = Path(tempfile.mkdtemp(prefix=f"qc-{short}-"))
        self.folder.chmod(0o777)  # some programs give up root's rights
        self.stack = AsyncExitStack()

    async def __aenter__(self) -> Place:
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    def port(self) -> int:
        if self._given == len(self._ports):
            self._ports.append(free_port())
        self._given += 1
        return self._ports[self._given - 1]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def make_folder(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(exist_ok=True)
        path.chmod(0o777)
        return path

    async def run(self, program: str, *args: object, port: int, **more: Any) -> Process:
        """Starts a program in the foreground and waits until it listens."""
        process = await self.spawn(program, *args, **more)
        await self._listens(process, port)
        return process

    async def spawn(
        self, program: str, *args: object, env: dict[str, str] | None = None
    ) -> Process:
        path = program if program.startswith("/") else find(program)
        with (self.folder / f"{Path(path).name}.out").open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *WITH_US,
                path,
                *map(str, args),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self.stack.push_async_callback(end, process)
        return process

    async def _listens(self, process: Process, port: int) -> None:
        for _ in range(int(START_SECONDS * 20)):
            if process.returncode is not None:
                break
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)  # only trying tells whether a program listens
        raise RuntimeError(f"{self.name} did not start:\n{self.said()}")

    def said(self) -> str:
        files = [*self.folder.glob("*.out"), *self.folder.glob("*.log")]
        return "\n".join(f"{f.name}: {f.read_text(errors='replace')[-1500:]}" for f in files)


async def end(process: Process) -> None:
    """Ends the process and those that it made (they are its process group)."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        if how is signal.SIGTERM:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
    await process.wait()
