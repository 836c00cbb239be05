"""A whole case: one leg after the other, in the same two windows."""

from __future__ import annotations

from collections.abc import Sequence

from proxies.case import Case
from proxies.desk import Desk
from proxies.doors import Doors
from proxies.leg import LEGS, Leg, Outcome
from proxies.talk import talk


async def run_case(case: Case, desk: Desk, legs: Sequence[Leg] = LEGS) -> list[Outcome]:
    """One outcome per leg. A proxy that does not start is an outcome, too."""
    async with Doors(case, desk.house, desk.ports) as doors:
        return [await _leg(case, each, doors, desk) for each in legs]


async def _leg(case: Case, which: Leg, doors: Doors, desk: Desk) -> Outcome:
    outcome = Outcome(case.name, which.name, desk.browser.name)
    try:
        opened = await doors.open()
        await desk.sit(opened)
        await talk(case, which, desk, opened, outcome)
    except Exception as error:  # also a site or a browser that is too busy to begin
        outcome.faults.append(f"{type(error).__name__}: {str(error)[:2000]}")
    if outcome.faults:
        await desk.leave()  # whatever it was, it is not the next leg's
    return outcome
