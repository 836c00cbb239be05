"""How long to wait before the next try: exponential, with full jitter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

FIRST = 0.5
LONGEST = 30.0


@dataclass(slots=True)
class Backoff:
    """`random` gives 0 up to 1: the whole delay is random, so that clients spread out."""

    random: Callable[[], float]
    tries: int = 0

    def next(self) -> float:
        """Seconds to wait now; each time up to twice as long, at most 30."""
        ceiling = min(LONGEST, FIRST * (1 << min(self.tries, 16)))
        self.tries += 1
        return self.random() * ceiling

    def reset(self) -> None:
        self.tries = 0
