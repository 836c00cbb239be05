"""Forms with files (multipart/form-data), read as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from quart import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from quartchat.errors import BadRequest, TooLarge
from quartchat.web import bodies

MAX_FIELDS = 64 * 2**10  # bytes of all fields that are not files
MAX_PARTS = 100
SLICE = 32 * 2**10  # bytes for the decoder at once
MAX_WAITING = 64 * 2**10  # bytes in which it must find the next part, or the end of its headers
Sink = Callable[[str, AsyncIterator[bytes]], Awaitable[None]]


def pass_over(name: str, value: str) -> None:
    """For forms whose fields say nothing."""


async def read_form(take: Sink, field: Callable[[str, str], None] = pass_over) -> None:
    """The form of this request: `field(name, value)` is called for each field, `take(name of the
    file, its pieces)` for each file. Raises BadRequest, TooLarge, and what these raise."""
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary:
        raise BadRequest("A form with files needs a boundary in its Content-Type.")
    await _Form(boundary, take, field).read()


class _Form:
    def __init__(self, boundary: str, take: Sink, field: Callable[[str, str], None]) -> None:
        self._decoder = MultipartDecoder(
            boundary.encode(), max_form_memory_size=MAX_WAITING, max_parts=MAX_PARTS
        )
        self._take, self._field, self._body = take, field, bodies.pieces()
        self._came = memoryview(b"")
        self._text_bytes = 0

    async def read(self) -> None:
        while not isinstance(event := await self._next(), Epilogue):
            if isinstance(event, Field):
                self._field(event.name or "", await self._text())
            elif isinstance(event, File):
                await self._file(event.filename)

    async def _next(self) -> Any:
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                self._feed(await self._more())
        except RequestEntityTooLarge:
            raise _too_long() from None
        except ValueError:
            raise _unreadable() from None
        return event

    def _feed(self, data: bytes | None) -> None:
        try:
            self._decoder.receive_data(data)
        except RequestEntityTooLarge:
            raise ValueError("no boundary, or no end of the headers") from None

    async def _more(self) -> bytes | None:
        """None: that was all."""
        if not self._came:
            self._came = memoryview(await anext(self._body, b""))
        data, self._came = bytes(self._came[:SLICE]), self._came[SLICE:]
        return data or None

    async def _text(self) -> str:
        found = bytearray()
        async with aclosing(self._data()) as data:
            async for piece in data:
                found += piece
                self._text_bytes += len(piece)
                if self._text_bytes > MAX_FIELDS:
                    raise _too_long()
        return found.decode("utf-8", "replace")

    async def _file(self, name: str) -> None:
        """A field for files that was left empty has neither name nor content. What is not taken
        of a file is passed over."""
        async with aclosing(self._data()) as data:
            if name:
                await self._take(name, data)
            async for _ in data:
                pass

    async def _data(self) -> AsyncGenerator[bytes]:
        more = True
        while more:
            event = await self._next()
            if not isinstance(event, Data):
                raise _unreadable()
            more = event.more_data
            if event.data:
                yield bytes(event.data)


def _too_long() -> TooLarge:
    return TooLarge("This form has too many fields, or too long ones.")


def _unreadable() -> BadRequest:
    return BadRequest("The form cannot be read: it was cut, or its boundary is wrong.")
