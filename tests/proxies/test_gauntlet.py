"""Two people write to each other through each proxy, in three legs: with all transports, without
WebSocket, nearly silent. `pytest -m gauntlet` runs all; every test run a dozen of them."""

from __future__ import annotations

import pytest

from proxies.case import Case
from proxies.cases import CASES
from proxies.gauntlet import Gauntlet

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(1200),  # the first test waits for what was started before it
    pytest.mark.slow,
]
DOZEN = [case for case in CASES if case.ci]
OTHERS = [case for case in CASES if not case.ci]
IN_FIREFOX = [case for case in CASES if case.firefox]


def named(case: Case) -> str:
    return case.name


async def check(gauntlet: Gauntlet, case: Case, browser_name: str) -> None:
    outcomes = await gauntlet.outcomes(case, browser_name)
    faults = [f"{o.leg}: {fault}" for o in outcomes for fault in o.faults]
    more = [f"{o.leg}: {side}" for o in outcomes for side in o.more]
    assert not faults, "\n".join([*faults, *more])


@pytest.mark.gauntlet(always=True)
@pytest.mark.parametrize("browser_name", ["Chromium"])
@pytest.mark.parametrize("case", DOZEN, ids=named)
async def test_both_sides_end_equal_to_the_log(
    gauntlet: Gauntlet, case: Case, browser_name: str
) -> None:
    await check(gauntlet, case, browser_name)


@pytest.mark.gauntlet
@pytest.mark.parametrize("browser_name", ["Chromium"])
@pytest.mark.parametrize("case", OTHERS, ids=named)
async def test_both_sides_end_equal_to_the_log_behind_any_proxy(
    gauntlet: Gauntlet, case: Case, browser_name: str
) -> None:
    await check(gauntlet, case, browser_name)


@pytest.mark.gauntlet
@pytest.mark.parametrize("browser_name", ["Firefox"])
@pytest.mark.parametrize("case", IN_FIREFOX, ids=named)
async def test_both_sides_end_equal_to_the_log_in_firefox(
    gauntlet: Gauntlet, case: Case, browser_name: str
) -> None:
    await check(gauntlet, case, browser_name)
