"""docs/proxies.md from the outcomes of a run, on standard output.

`python -m proxies.report OUTCOMES MINUTES`: a file with a line of JSON per leg, and the time.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proxies.cases import CASES
from proxies.leg import LEGS
from proxies.programs import PROGRAMS, version

HEAD = """# Through proxies

Two people, each with a page of a real browser, write to each other through each of these proxies
and bad networks. There are three legs: all transports allowed; WebSocket turned off in the client,
because one that works hides what happens to the rest; nearly silent (a message per
{silence:.0f} s), in the pages of the first leg, or in new ones where the way was made bad, or
counts or changes. A leg passes when every message stands on both pages once, in the order of the
log, when the client handed out nothing twice and nothing out of order, and when what was written
is in the log once.

- *transport*: in use at the end. Two of them: the two people ended on different ones.
- *first*: how long it takes somebody who comes there to get the first event, in ms: on a connection
  of its own in the loaded page, without memory, opened when all was said; the best of three, or the
  first under 100. Not measured in the quiet leg; "–" where nothing came in 10 s.
- *stall*: the longest time from a message's commit to its being shown, in ms.
- *sending*: the longest time from the Enter key to the commit, in ms.
- *requests*: by both browsers together, without scripts, styles and pictures.

Cases that turn bad do so when both pages are there. Made by `.ci/gauntlet` on {day}
(UTC), on a machine with {cpus} processors, in {minutes} minutes, with {versions}.

**{passed} of {number} legs passed.**
"""
TURN_OFF = """
## Trying it yourself

`.ci/gauntlet` runs all cases and writes this page; `pytest -m gauntlet -k squid` runs those with
squid in their name; plain `pytest tests/proxies` the {dozen} cases that every test run has. A case
is one line of a table in `tests/proxies/`: a name, the configuration, the programs that it needs.
In a browser, `localStorage.qc_transports = "poll"` allows the client that transport alone
(`stream,sse,poll,serial` are all but WebSocket); `localStorage.removeItem("qc_transports")` allows
all again.
`/doctor` says what gets through where you are.
"""


def table(outcomes: list[dict[str, Any]], browser: str) -> list[str]:
    of = {(o["case"], o["leg"]): o for o in outcomes if o["browser"] == browser}
    lines = [
        "| case | leg | transport | first | stall | sending | requests | |",
        "|---|---|---|---:|---:|---:|---:|---|",
    ]
    for case in CASES:
        for number, leg in enumerate(LEGS):
            if found := of.get((case.name, leg.name)):
                title = f"{case.name}{f' ({case.note})' if case.note else ''}"
                lines.append(_row("" if number else title, found))
    return lines


def _row(title: str, found: dict[str, Any]) -> str:
    ways = ", ".join(found["ways"]) or "–"
    times = (_number(found[name]) for name in ("first", "stall", "sending"))
    verdict = "ok" if not found["faults"] else "**" + "; ".join(found["faults"])[:160] + "**"
    cells = [title, found["leg"], ways, *times, str(found["requests"]), verdict]
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def used(outcomes: list[dict[str, Any]]) -> str:
    ran = {outcome["case"] for outcome in outcomes}
    needs = {need for case in CASES if case.name in ran for need in case.needs}
    browsers = {outcome["browser"].lower() for outcome in outcomes}
    names = [name for name in PROGRAMS if name in needs | browsers]
    return ", ".join(f"{name} {version(name)}".strip() for name in names)


def page(outcomes: list[dict[str, Any]], minutes: float) -> str:
    passed = sum(not outcome["faults"] for outcome in outcomes)
    head = HEAD.format(
        silence=max(leg.pause for leg in LEGS),
        day=datetime.now(UTC).date().isoformat(),
        cpus=os.cpu_count(),
        minutes=f"{minutes:.0f}",
        versions=used(outcomes),
        passed=passed,
        number=len(outcomes),
    )
    dozen = sum(case.ci for case in CASES)
    parts = [head, "\n## Chromium\n", *table(outcomes, "Chromium")]
    if any(outcome["browser"] == "Firefox" for outcome in outcomes):
        parts += ["\n## Firefox\n", *table(outcomes, "Firefox")]
    return "\n".join(parts) + "\n" + TURN_OFF.format(dozen=dozen)


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text().splitlines()
    print(page([json.loads(line) for line in lines], float(sys.argv[2])), end="")
