"""Requests as a client without manners, or with a bad line, sends them: byte by byte, and cut."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from support.readers import PATIENCE
from support.server import Person

BOUNDARY = "between-the-parts"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


class Wire:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers (their names in lower case) of the next answer."""
        async with asyncio.timeout(PATIENCE):
            lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = (line.partition(":") for line in lines[1:] if line)
        return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in fields}

    async def answer(self) -> Answer:
        status, headers = await self.head()
        async with asyncio.timeout(PATIENCE):
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status, headers, body)

    async def read(self, size: int) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self._reader.readexactly(size)

    def cut(self) -> None:
        """Ends with a TCP reset, as a phone in a tunnel does not even."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


@contextlib.asynccontextmanager
async def asking(
    who: Person, method: str, path: str, *, small_window: bool = False, **headers: Any
) -> AsyncIterator[Wire]:
    """A connection on which the head of a request was sent. `small_window`: the kernel takes
    little before it is read."""
    where = urlsplit(who.server.url)
    sock = socket.socket()
    if small_window:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (where.hostname, where.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=2**16)
    fields = {"Host": where.netloc, "Authorization": f"Bearer {who.token}"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    wire = Wire(reader, writer)
    await wire.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
    try:
        yield wire
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def part(name: str, data: bytes, filename: str | None = None) -> bytes:
    """One part of a form, with the boundary before it."""
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def chunk(data: bytes) -> bytes:
    """As Transfer-Encoding: chunked has it."""
    return b"%x\r\n%s\r\n" % (len(data), data)
