"""What a bus is. It carries wake-ups and ephemeral events; losing one loses no event of the log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from quartchat.events import Event

MAX_SIGNALS = 256  # ephemeral events that wait for one slow reader; older ones are dropped


class Wake:
    """One subscriber's ear on the bus. Use as a context manager: leaving it stops listening."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._event = asyncio.Event()
        self.topics: frozenset[str] = frozenset()
        self.signals: deque[Event] = deque(maxlen=MAX_SIGNALS)

    def __enter__(self) -> Wake:
        return self

    def __exit__(self, *_: object) -> None:
        self.follow(())

    def follow(self, topics: Iterable[str]) -> None:
        """From now on hear of these topics, and of no others."""
        wanted = frozenset(topics)
        if wanted != self.topics:
            self._bus.retarget(self, wanted)
            self.topics = wanted

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    async def wait(self, seconds: float) -> bool:
        """Whether something came within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        return True


class Bus(Protocol):
    def listen(self) -> Wake: ...

    def retarget(self, wake: Wake, topics: frozenset[str]) -> None: ...

    def notify(self, topics: Iterable[str]) -> None:
        """Wake all who follow one of these topics."""

    def signal(self, event: Event) -> None:
        """Give an ephemeral event to all who follow its topic."""
