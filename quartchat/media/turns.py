"""Few programs run at once, and few wait for their turn: however many files come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from quartchat.errors import Unavailable

AT_ONCE, MOST_WAITING = 2, 50


class _Turns:
    def __init__(self) -> None:
        self.free, self.waiting = asyncio.Semaphore(AT_ONCE), 0


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


@asynccontextmanager
async def turn() -> AsyncGenerator[None]:
    """Waits for a place, and holds it. Raises Unavailable where too many wait already."""
    turns = _turns.setdefault(asyncio.get_running_loop(), _Turns())
    if turns.waiting >= MOST_WAITING:
        raise Unavailable("Many files are being worked on; try again in a moment.")
    turns.waiting += 1
    try:
        await turns.free.acquire()
    finally:
        turns.waiting -= 1
    try:
        yield
    finally:
        turns.free.release()
