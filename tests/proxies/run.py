"""A whole case: its doors opened, all three legs at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from proxies.case import Case, Door
from proxies.house import House
from proxies.leg import LEGS, Leg, Outcome
from proxies.place import Place
from proxies.talk import Browser, leg


async def run_case(
    case: Case, house: House, browser: Browser, legs: Sequence[Leg] = LEGS
) -> list[Outcome]:
    """One outcome per leg. A proxy that does not start is an outcome, too."""
    return await asyncio.gather(*(_leg(case, each, house, browser) for each in legs))


async def _leg(case: Case, which: Leg, house: House, browser: Browser) -> Outcome:
    async with Place(case.name, house.up, house.tls, house.certificate) as place:
        try:
            doors = [await case.start(place)]
            if case.own:
                other = await place.stack.enter_async_context(
                    Place(case.name, house.up, house.tls, house.certificate)
                )
                doors.append(await case.start(other))
        except Exception as error:
            return Outcome(case.name, which.name, browser.name, faults=[str(error)])
        both: list[Door] = [doors[0], doors[-1]]
        return await leg(case, which, house, browser, both)
