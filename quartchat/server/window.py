"""A receive window: messages on their way to one handler, bounded in number and bytes.

`put` waits while too much is unconsumed, so the connection stops reading and the client's
own send blocks: frameworks queue inbound frames without a bound. The end of the
connection never waits, however full the window is.
"""

from __future__ import annotations

import asyncio
from collections import deque

from quartchat.server.asgi import Message


class Window:
    """`put` for the server, `get` for the framework, `consumed` for the handler."""

    def __init__(self, kind: str, frames: int, size: int) -> None:
        """At most `frames` messages or about `size` bytes are unconsumed at a time.

        `kind` is that of the scope: of a "websocket" only `consumed()` makes room again, of
        "http" a message that was got is consumed.
        """
        self._kind, self._frames, self._size = kind, frames, size
        self._queue: deque[Message] = deque()
        self._sizes: deque[int] = deque()
        self._unconsumed = 0
        self._ended = False
        self._room = asyncio.Event()
        self._arrived = asyncio.Event()

    @property
    def full(self) -> bool:
        return len(self._sizes) >= self._frames or self._unconsumed >= self._size

    def consumed(self) -> None:
        """The oldest message that was not yet consumed is dealt with."""
        if self._sizes:
            self._unconsumed -= self._sizes.popleft()
            self._room.set()

    async def put(self, message: Message) -> None:
        """Waits for room; after the end of the connection what comes is dropped."""
        if message["type"] == f"{self._kind}.disconnect":
            self.end(message.get("code", 1006))
            return
        while self.full and not self._ended:
            self._room.clear()
            await self._room.wait()
        if not self._ended:
            self._take(message)

    def end(self, code: int = 1006) -> None:
        """The connection has ended, with this close code if it was a WebSocket."""
        if not self._ended:
            self._ended = True
            message: Message = {"type": f"{self._kind}.disconnect"}
            if self._kind == "websocket":
                message["code"] = code
            self._queue.append(message)
            self._arrived.set()
            self._room.set()

    async def get(self) -> Message:
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        if self._ended and len(self._queue) == 1:
            return self._queue[0]
        if self._kind == "http":
            self.consumed()
        return self._queue.popleft()

    def _take(self, message: Message) -> None:
        if message["type"] != "websocket.connect":
            size = _size(message)
            self._sizes.append(size)
            self._unconsumed += size
        self._queue.append(message)
        self._arrived.set()


def _size(message: Message) -> int:
    return len(message.get("bytes") or message.get("body") or message.get("text") or b"")
