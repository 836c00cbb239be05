"""How soon somebody who comes to such a network gets something."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from proxies.leg import Two

LIMIT_SECONDS = 10.0
QUICK_SECONDS, SLOW_SECONDS = 0.1, 3.0
PAGE_SECONDS = 10.0  # for the page itself to answer, beyond the limit


async def first_event(two: Two, tries: int) -> int | None:
    """Milliseconds from `connect()` to the first event: a connection of its own in a page that is
    there, without memory, which asks for the last message. None: it did not come.

    The best of several, until one is quick: the machine is busy, and what waits for a processor
    says nothing about the way. No more of them after a slow one.
    """
    best: float | None = None
    for _ in range(tries):
        took = await _try(two)
        if took is None:
            break
        best = took if best is None else min(best, took)
        if took < QUICK_SECONDS * 1000 or took > SLOW_SECONDS * 1000:
            break
    return None if best is None else round(best)


async def _try(two: Two) -> float | None:
    before = two.log()[-1]["event_id"] - 1
    given = json.dumps([two.house.script, before, LIMIT_SECONDS * 1000])
    with suppress(TimeoutError):
        async with asyncio.timeout(LIMIT_SECONDS + PAGE_SECONDS):
            took: float | None = await two.seats[0].evaluate(f"window.__first(...{given})")
            return took
    return None
