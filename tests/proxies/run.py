"""A whole case: one leg after the other, in the same two windows."""

from __future__ import annotations

from collections.abc import Sequence

from proxies.case import Case
from proxies.desk import Desk
from proxies.doors import Doors
from proxies.leg import LEGS, Leg, Outcome
from proxies.talk import failing, measure, meeting, talk


async def run_case(case: Case, desk: Desk, legs: Sequence[Leg] = LEGS) -> list[Outcome]:
    """One outcome per leg. A proxy that does not start is an outcome, too."""
    outcomes: list[Outcome] = []
    async with Doors(case, desk.house, desk.ports) as doors:
        while left := legs[len(outcomes) :]:
            outcomes += await _visit(case, left, doors, desk)
    return outcomes


async def _visit(case: Case, legs: Sequence[Leg], doors: Doors, desk: Desk) -> list[Outcome]:
    """The first of these legs, and those that stay in its pages."""
    outcomes = [Outcome(case.name, legs[0].name, desk.browser.name)]
    with failing(outcomes[0]):
        opened = await doors.open()
        await desk.sit(opened)
        async with meeting(desk, legs[0]) as two:
            await talk(case, legs[0], two, outcomes[0], opened)
            for leg in legs[1:]:
                if not leg.stays or outcomes[-1].faults or doors.are_used_up():
                    break
                outcomes.append(Outcome(case.name, leg.name, desk.browser.name))
                await talk(case, leg, two, outcomes[-1])
            if not legs[0].turns:
                await measure(case, two, outcomes[0])
    if any(outcome.faults for outcome in outcomes):
        await desk.leave()  # whatever it was, it is not the next leg's
    return outcomes
