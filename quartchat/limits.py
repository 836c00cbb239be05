"""Token buckets: so many per second, and so many at once, for each key.

A bucket is one number, the moment at which it will be full again; a full one needs no
memory at all. Keys that are not full are kept up to `max_keys`, the longest unused go first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

# Waiting just as long as was said must be enough, though floats round.
ROUNDING = 1e-6


class Buckets:
    """One bucket per key, of `burst` tokens that refill at `rate` per second.

    `clock` is monotonic, in seconds; an infinite `rate` lets everything pass. Raises
    ValueError for a rate or burst that lets nothing pass.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float], max_keys: int = 10_000
    ) -> None:
        if rate <= 0 or burst < 1 or max_keys < 1:
            raise ValueError("rate must be above 0, burst and max_keys 1 or more")
        self._seconds_each = 1 / rate
        self._burst = burst
        self._clock = clock
        self._max_keys = max_keys
        self._full_at: dict[Hashable, float] = {}

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._full_at)

    def take(self, key: Hashable, n: float = 1) -> float:
        """Takes n tokens: 0.0 when they were there, else the seconds to wait, and takes none.

        Raises ValueError for an n that no full bucket holds.
        """
        now = self._clock()
        full_at, wait = self._look(key, n, now)
        if wait == 0.0:
            full_at += n * self._seconds_each
        self._keep(key, full_at, now)
        return wait

    def give_back(self, key: Hashable, n: float = 1) -> None:
        """Undoes a `take`."""
        if key in self._full_at:
            self._keep(key, self._full_at[key] - n * self._seconds_each, self._clock())

    def wait(self, key: Hashable, n: float = 1) -> float:
        """What `take` would answer, without taking anything."""
        return self._look(key, n, self._clock())[1]

    def _look(self, key: Hashable, n: float, now: float) -> tuple[float, float]:
        if not 0 <= n <= self._burst:
            raise ValueError(f"takes 0 to {self._burst} at once, not {n}")
        full_at = max(now, self._full_at.get(key, now))
        wait = full_at - now - (self._burst - n) * self._seconds_each
        return full_at, wait if wait > ROUNDING else 0.0

    def _keep(self, key: Hashable, full_at: float, now: float) -> None:
        # Put at the end each time, so the order is that of last use.
        self._full_at.pop(key, None)
        if full_at > now:
            self._full_at[key] = full_at
        # Two out for one in: what is full again does not stay until all room is taken.
        for _ in range(2):
            oldest = next(iter(self._full_at), None)
            if oldest is not None and self._full_at[oldest] <= now:
                del self._full_at[oldest]
        while len(self._full_at) > self._max_keys:
            del self._full_at[next(iter(self._full_at))]
