"""What strangers may ask of the probes: so much per address, and so many at once."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from quartchat.errors import RateLimited
from quartchat.limits import Buckets

PER_SECOND, AT_ONCE = 5.0, 300
"""probes from one address; a round of all takes about a hundred"""
OPEN_HERE, OPEN_IN_ALL = 24, 200
MOST_NAMES = 5_000
RETRY_SECONDS = 10.0


class Guard:
    """`no_limits` lifts rates and counts. Raises RateLimited where it is too much."""

    def __init__(self, *, no_limits: bool) -> None:
        self._buckets = Buckets(PER_SECOND, AT_ONCE, time.monotonic)
        self._open: Counter[str] = Counter()
        self._arrived: OrderedDict[str, int] = OrderedDict()
        self._no_limits = no_limits

    def take(self, address: str, price: int = 1) -> None:
        if not self._no_limits and (wait := self._buckets.take(address, price)):
            raise RateLimited(retry_after=wait)

    def check_room(self, address: str) -> None:
        """Whether one more may stay open."""
        full = self._open[address] >= OPEN_HERE or self._open.total() >= OPEN_IN_ALL
        if full and not self._no_limits:
            raise RateLimited(retry_after=RETRY_SECONDS)

    @contextmanager
    def staying(self, address: str) -> Iterator[None]:
        """One that is open for as long as the block."""
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def arrived(self, name: str) -> None:
        """A request that its sender calls so has come; only the newest are kept in mind."""
        self._arrived[name] = self._arrived.pop(name, 0) + 1
        if len(self._arrived) > MOST_NAMES:
            self._arrived.popitem(last=False)

    def times(self, name: str) -> int:
        return self._arrived.get(name, 0)
