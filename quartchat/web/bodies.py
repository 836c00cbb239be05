"""Request bodies that are files: read as they come, never held as a whole.

Quart takes in a body as fast as the network gives it. For a body that is read in pieces the
application is wrapped, so that no more comes than is read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

import quart
from quart import request
from quart.wrappers.request import Body
from werkzeug.datastructures import Headers

from quartchat.media.terms import MAX_BYTES as MAX_PICTURE

WINDOW = 256 * 2**10  # bytes that may have come and not been read
FORM, TUS = "multipart/form-data", "application/offset+octet-stream"
# Which addresses take files, and in what; others take small bodies, which are read as a whole.
STREAMED = (
    (re.compile(r"/api/uploads/[^/]+"), ""),
    (re.compile(r"/api/chats/[^/]+/uploads"), TUS),
    (re.compile(r"/api/chats/[^/]+/files|/(c|chats)/[^/]+/messages"), FORM),
)
ENVELOPE = 16 * 2**10  # bytes of a form around its one file
PACE = "quartchat.pace"
Asgi = Callable[..., Awaitable[None]]


def is_streamed(method: str, path: str, content_type: str) -> bool:
    """Whether a body is read in pieces."""
    return method in ("POST", "PATCH") and any(
        paths.fullmatch(path) and content_type.lower().startswith(kind) for paths, kind in STREAMED
    )


def pieces() -> AsyncIterator[bytes]:
    """The body as it comes; whoever reads is cancelled where the connection is cut."""
    return request.body


class PacedBody(Body):
    """Read in pieces, once it was begun."""

    _pace: Pace | None = None

    def begin(self, pace: Pace | None) -> None:
        self._pace = pace
        if pace is not None:
            pace.holds_back = True

    async def __anext__(self) -> bytes:
        data = await super().__anext__()
        if self._pace is not None:
            self._pace.used(len(data))
        return data

    def __await__(self) -> Generator[Any, None, Any]:
        if self._pace is not None:
            raise RuntimeError("this body comes only as fast as its pieces are read")
        return super().__await__()


class Request(quart.Request):
    """Bodies are small, but for those that are streamed, and for pictures, whose addresses end in
    `/picture`."""

    body_class = PacedBody

    def __init__(
        self,
        method: str,
        scheme: str,
        path: str,
        query_string: bytes,
        headers: Headers,
        *more: Any,
        **named: Any,
    ) -> None:
        most = named.get("max_content_length")
        streamed = is_streamed(method, path, headers.get("Content-Type", ""))
        if method == "POST" and path.endswith("/picture"):
            most = MAX_PICTURE + ENVELOPE
        named["max_content_length"] = None if streamed else most
        super().__init__(method, scheme, path, query_string, headers, *more, **named)
        if streamed and isinstance(self.body, PacedBody):
            scope: Any = self.scope
            self.body.begin(scope.get(PACE))
        elif most is not None:  # the parser of forms looks here
            self.max_content_length = most


class Paced:
    """An ASGI application whose streamed bodies come as fast as they are read."""

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] in ("POST", "PATCH"):
            pace = Pace(receive)
            scope, receive = {**scope, PACE: pace}, pace.receive
        await self._app(scope, receive, send)


class Pace:
    """`holds_back`: once somebody says what was used."""

    holds_back = False

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self._receive, self._unused, self._room = receive, 0, asyncio.Event()

    async def receive(self) -> Any:
        while self.holds_back and self._unused >= WINDOW:
            self._room.clear()
            await self._room.wait()
        message = await self._receive()
        self._unused += len(message.get("body", b""))
        return message

    def used(self, size: int) -> None:
        self._unused -= size
        self._room.set()
