"""Of several that work on one thing, the last goes on: the others' connections are dead, or their
client has begun again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from quartchat.errors import Conflict


class LastComer:
    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._latest: dict[str, asyncio.Timeout] = {}

    @asynccontextmanager
    async def alone(self, key: str) -> AsyncGenerator[None]:
        """Begins when whoever was before has ended. Raises Conflict where somebody comes after:
        what is done inside is cancelled then."""
        mine = asyncio.timeout(None)
        try:
            async with mine:
                self._overtake(key)
                self._latest[key] = mine
                async with self._locks.setdefault(key, asyncio.Lock()):
                    yield
        except TimeoutError:
            if not mine.expired():
                raise
            raise Conflict("This upload is gone on with by another request.") from None
        finally:
            if self._latest.get(key) is mine:
                del self._latest[key]

    def _overtake(self, key: str) -> None:
        before = self._latest.get(key)
        if before is not None and not before.expired():
            before.reschedule(asyncio.get_running_loop().time())
