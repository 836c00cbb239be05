"""One line of JSON per event, in a body that stays open."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from quartchat.client.position import Event
from quartchat.client.transports.base import Ask, decode, opened


async def stream(ask: Ask) -> AsyncGenerator[Event, None]:
    async with opened(ask, "/t/s", pad=1) as response:
        async for line in _lines(response.aiter_bytes()):
            for event in decode(line):
                yield event


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines, but for blank ones. Split at LF only: text may hold what else breaks lines."""
    parts: list[bytes] = []
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            whole = b"".join([*parts, line])
            parts.clear()
            if whole.strip():
                yield whole
        parts.append(rest)
