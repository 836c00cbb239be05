"""Work that is done once for each key, to its end, however many wait for it and go away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from quartchat.errors import UploadNotFound


class Finishing:
    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    def get(self, key: str) -> asyncio.Task[Any] | None:
        return self._tasks.get(key)

    def start(self, key: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._tasks[key] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._ended(key, task))
        return task

    async def end(self, *keys: str) -> None:
        """Ends the work for these."""
        for task in [self._tasks[key] for key in keys if key in self._tasks]:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        await self.end(*self._tasks)

    def _ended(self, key: str, task: asyncio.Task[Any]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # looked at: perhaps nobody waits any more


async def outcome(task: asyncio.Task[Any]) -> Any:
    """What it gives or raises; UploadNotFound if it was ended."""
    await asyncio.wait([task])
    if task.cancelled():
        raise UploadNotFound
    return task.result()
