"""Blocking work in threads of its own: a slow disk keeps nobody waiting but who uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar, TypeVarTuple

AT_ONCE = 8
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Threads:
    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="storage")

    async def run(self, call: Callable[[*Ts], T], *args: *Ts, stop: Event | None = None) -> T:
        """What the call gives. If cancelled, `stop` is set, and this ends when the call has ended:
        so nothing that a thread uses is closed or removed under its hands."""
        loop = asyncio.get_running_loop()
        return await to_the_end(loop.run_in_executor(self._pool, call, *args), stop)

    def close(self) -> None:
        self._pool.shutdown(wait=False)


async def to_the_end(work: Awaitable[T], stop: Event | None = None) -> T:
    """Its result. If this is cancelled, it ends when the work has ended, and sets `stop` before."""
    future = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if stop is not None:
            stop.set()
        await _ended(future)
        raise


async def _ended(work: asyncio.Future[T]) -> None:
    """However often this is cancelled, too."""
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            continue
    if not work.cancelled():
        work.exception()  # looked at: nobody else will
