"""One stream of an HTTP/2 connection, and what is asked of its headers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from quartchat.server.sockets import USER_TIMEOUT_MS

STUCK_SECONDS = USER_TIMEOUT_MS / 1000
"""how long a client may take nothing of a stream that has something for it"""
WINDOW_STEP = 32 * 2**10
"""bytes consumed after which the client is told to send more; half of what it may send"""
RESETS = 200
RESETS_PER_SECOND = 20.0
# These describe one connection of HTTP/1, and make an answer invalid in HTTP/2.
OF_CONNECTIONS = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)

Headers = Iterable[tuple[bytes, bytes]]


class Stream:
    """`has_all`: the client has ended its side; `is_answered`: the server its own;
    `is_gone`: nothing can be sent or handled any more."""

    def __init__(self, id_: int, handler: Any) -> None:
        self.id, self.handler = id_, handler
        self.arrived, self.room = asyncio.Event(), asyncio.Event()
        self.sending = asyncio.Lock()
        self.has_all = self.is_answered = self.is_gone = self.is_fed = False
        self._incoming = bytearray()
        self._consumed = 0

    def take(self, data: bytes) -> bool:
        """Keeps what came, which flow control bounds; True: somebody must hand it on now."""
        self._incoming += data
        self.arrived.set()
        is_first, self.is_fed = not self.is_fed, True
        return is_first

    async def pieces(self) -> AsyncIterator[bytes]:
        """What came, until the end of the request or of the stream."""
        while not self.is_gone:
            if self._incoming:
                data = bytes(self._incoming)
                self._incoming.clear()
                yield data
            elif self.has_all:
                return
            else:
                self.arrived.clear()
                await self.arrived.wait()

    def consumed(self, size: int) -> int:
        """By how much the client's window is to be opened now."""
        self._consumed += size
        if self._consumed < WINDOW_STEP:
            return 0
        size, self._consumed = self._consumed, 0
        return size

    async def has_room(self) -> bool:
        """Waits until the client takes more; False: it took nothing for too long."""
        self.room.clear()
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                await self.room.wait()
        except TimeoutError:
            return False
        return True


class Resets:
    """Counts streams that were reset, which a client may do in bursts but not without end."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._left, self._at = now, float(RESETS), now()

    def are_too_many(self) -> bool:
        """To be asked once for each reset."""
        now = self._now()
        self._left = min(RESETS, self._left + (now - self._at) * RESETS_PER_SECOND) - 1
        self._at = now
        return self._left < 0


def fault_of(headers: Headers, longest: int) -> tuple[str, bytes, int]:
    """(method, path, the status with which to refuse such a request, or 0)."""
    fields = list(headers)
    named = dict(fields)
    method, path = named[b":method"].upper(), named.get(b":path", b"")
    status = 0
    if sum(len(name) + len(value) for name, value in fields) > longest:
        status = 431
    elif method == b"CONNECT" and named.get(b":protocol") != b"websocket":
        status = 501
    elif not (method.isascii() and path.isascii()):
        status = 400
    return method.decode("ascii", "replace"), path, status


def plain_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Headers as both versions of HTTP have them: the authority is the host."""
    plain = []
    for name, value in headers:
        if name == b":authority":
            plain.append((b"host", value))
        elif not name.startswith(b":") and name.lower() not in OF_CONNECTIONS:
            plain.append((name, value))
    return plain
