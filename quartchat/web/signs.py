"""Signs that one request of a user waits for, and another of theirs gives."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from quart import current_app

MOST = 10_000


class Signs:
    """Once given, each stays, as long as there are not too many newer ones."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], asyncio.Event] = {}

    def of(self, user_id: str, name: str) -> asyncio.Event:
        """The sign of this name, the same for all requests of the user."""
        key = (user_id, name[:64])
        if key not in self._known:
            self._known[key] = asyncio.Event()
            if len(self._known) > MOST:
                del self._known[next(iter(self._known))]
        return self._known[key]


def signs() -> Signs:
    return current_app.extensions["quartchat.signs"]  # type: ignore[no-any-return]


async def seen(sign: asyncio.Event, seconds: float) -> bool:
    """Whether it is given within so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await sign.wait()
    return sign.is_set()
