"""Which transport to try next.

A transport works once it has brought `caught_up`: one that opens proves nothing, for a proxy
may swallow what comes after. A lesser one is kept for a while only if it worked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

BEST = ("ws", "stream", "poll")
CLIMB_AFTER = 600.0


@dataclass(slots=True)
class Choice:
    """`order` has the best first; `clock` is monotonic, in seconds."""

    order: Sequence[str]
    clock: Callable[[], float]
    _index: int = 0
    _climb_at: float | None = None

    @property
    def name(self) -> str:
        return self.order[self._index]

    @property
    def is_last(self) -> bool:
        return self._index == len(self.order) - 1

    def worked(self) -> None:
        """The present one was proven."""
        if self._index and self._climb_at is None:
            self._climb_at = self.clock() + CLIMB_AFTER

    def failed(self) -> bool:
        """The present one was not proven: takes the next. True when all have been tried."""
        self._climb_at = None
        self._index = (self._index + 1) % len(self.order)
        return self._index == 0

    def climbs(self) -> bool:
        """Whether it is time to try the best again; if so that is the present one now."""
        if self._climb_at is None or self.clock() < self._climb_at:
            return False
        self._index, self._climb_at = 0, None
        return True
