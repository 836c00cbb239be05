"""Request bodies, bounded in bytes and time before any framework buffers them.

A body that is too large or too slow is answered at once, 413 or 408 as a problem document
(RFC 9457), and the connection ends; the application sees a client that has gone.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

from quartchat.errors import ChatError, RequestTimeout, TooLarge
from quartchat.server.asgi import App, Message, Receive, Scope, Send
from quartchat.server.limits import Limits

GONE: Message = {"type": "http.disconnect"}
UPLOADS = (
    b"multipart/",
    b"image/",
    b"application/offset+octet-stream",
    b"application/octet-stream",
)


def wrap(app: App, limits: Limits) -> App:
    """An ASGI application that is `app` behind the limits on bodies."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if not _has_body(scope, headers):
            await app(scope, receive, send)
            return
        body = _Body(scope, limits, headers, receive, send)
        if not await body.refused_by_its_length(headers):
            await app(scope, body.receive, body.send)

    return limited


def _has_body(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    if scope["type"] != "http":
        return False
    declared = b"content-length" in headers or b"transfer-encoding" in headers
    return declared or scope["http_version"] >= "2"


class _Body:
    """Stands between the server and the application while one request has a body to come."""

    def __init__(
        self,
        scope: Scope,
        limits: Limits,
        headers: dict[bytes, bytes],
        receive: Receive,
        send: Send,
    ) -> None:
        upload = headers.get(b"content-type", b"").lower().startswith(UPLOADS)
        self._most = limits.max_upload if upload else limits.max_body
        seconds = limits.upload_seconds if upload else limits.body_seconds
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._scope, self._receive, self._send = scope, receive, send
        self._read = 0
        self._complete = self._started = self._refused = False

    async def refused_by_its_length(self, headers: dict[bytes, bytes]) -> bool:
        if int(headers.get(b"content-length", b"0")) > self._most:
            await self._refuse(self._too_large())
        return self._refused

    async def receive(self) -> Message:
        if self._refused:
            return GONE
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            return await self._refuse(RequestTimeout())
        return await self._counted(message)

    async def send(self, message: Message) -> None:
        if not self._refused:
            self._started = True
            await self._send(message)

    async def _counted(self, message: Message) -> Message:
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if self._read > self._most:
                return await self._refuse(self._too_large())
        return message

    def _too_large(self) -> ChatError:
        return TooLarge(f"The body of the request is over {self._most} bytes; send less.")

    async def _refuse(self, error: ChatError) -> Message:
        self._refused = True
        if not self._started:
            start, body = _problem(error, http2=self._scope["http_version"] >= "2")
            await self._send(start)
            await self._send(body)
        return GONE


def _problem(error: ChatError, *, http2: bool) -> tuple[Message, Message]:
    document = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    content = json.dumps(document).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if not http2:
        headers.append((b"connection", b"close"))
    start: Message = {"type": "http.response.start", "status": error.status, "headers": headers}
    return start, {"type": "http.response.body", "body": content, "more_body": False}
