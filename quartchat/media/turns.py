"""Few programs run at once, and few wait for their turn: however many files come. Of each person
one stands in the queue, so that nobody waits behind all files of another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary, WeakValueDictionary

from quartchat.errors import Unavailable

AT_ONCE, MOST_WAITING, MOST_OF_ONE = 2, 50, 50


class _Turns:
    def __init__(self) -> None:
        self.free, self.waiting = asyncio.Semaphore(AT_ONCE), 0
        self.locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.of_one: Counter[str] = Counter()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


@asynccontextmanager
async def turn(whose: str | None = None) -> AsyncGenerator[None]:
    """Waits for a place, and holds it; `whose` it is. Raises Unavailable where too many wait
    already."""
    turns = _turns.setdefault(asyncio.get_running_loop(), _Turns())
    if whose is None:
        async with _place(turns):
            yield
        return
    async with _of_one(turns, whose), _place(turns):
        yield


@asynccontextmanager
async def _of_one(turns: _Turns, whose: str) -> AsyncGenerator[None]:
    if turns.of_one[whose] >= MOST_OF_ONE:
        raise _too_many()
    turns.of_one[whose] += 1
    try:
        async with turns.locks.setdefault(whose, asyncio.Lock()):
            yield
    finally:
        turns.of_one[whose] -= 1
        turns.of_one += Counter()  # those of nobody are forgotten


@asynccontextmanager
async def _place(turns: _Turns) -> AsyncGenerator[None]:
    if turns.waiting >= MOST_WAITING:
        raise _too_many()
    turns.waiting += 1
    try:
        await turns.free.acquire()
    finally:
        turns.waiting -= 1
    try:
        yield
    finally:
        turns.free.release()


def _too_many() -> Unavailable:
    return Unavailable("Many files are being worked on; try again in a moment.")
