"""The bus within one process."""

from __future__ import annotations

from collections.abc import Iterable

from quartchat.bus.base import Wake
from quartchat.events import Event


class LocalBus:
    def __init__(self) -> None:
        self._followers: dict[str, set[Wake]] = {}

    def listen(self) -> Wake:
        return Wake(self)

    def retarget(self, wake: Wake, topics: frozenset[str]) -> None:
        for topic in wake.topics - topics:
            followers = self._followers[topic]
            followers.discard(wake)
            if not followers:
                del self._followers[topic]
        for topic in topics - wake.topics:
            self._followers.setdefault(topic, set()).add(wake)

    def notify(self, topics: Iterable[str]) -> None:
        for topic in set(topics):
            for wake in self._followers.get(topic, ()):
                wake.set()

    def signal(self, event: Event) -> None:
        for wake in self._followers.get(event.topic, ()):
            wake.signals.append(event)
            wake.set()
