"""Whether both sides are equal to the log, and how long things took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from proxies.case import Case
from proxies.leg import FIRST, Leg, Outcome, Two

NAMES = ("ada", "bob")


def judge(case: Case, leg: Leg, two: Two, told: list[dict[str, Any]], outcome: Outcome) -> None:
    """Adds to the outcome what is found. Event ids are microseconds of Unix time."""
    log = two.log()
    outcome.messages = len(log)
    for who, side in enumerate(told):
        outcome.faults += [f"{NAMES[who]}: {fault}" for fault in _side(side, log)]
        outcome.faults += [f"{NAMES[who]}: {fault}" for fault in _strayed(side, leg)]
        outcome.faults += [f"{NAMES[who]}: {f}" for f in _sent(two.written[who], two, who, log)]
    outcome.ways = sorted({_way(side) for side in told})
    outcome.stall = _most(_stall(side, log, two.since) for side in told)
    outcome.sending = _most(_sending(written, log, two.since) for written in two.written)
    if outcome.stall is not None and outcome.stall > case.stall * 1000:
        outcome.faults.append(f"a message was shown {outcome.stall / 1000:.1f} s after its commit")
    if outcome.faults:
        keys = ("url", "state", "status", "pending", "ways")
        outcome.more += [{key: side.get(key) for key in keys} for side in told]


def _side(side: dict[str, Any], log: list[dict[str, Any]]) -> list[str]:
    wanted = [message["event_id"] for message in log]
    faults = []
    if side.get("timeline") != wanted:
        faults.append(f"the page {_difference(side.get('timeline') or [], wanted)}")
    if side.get("pending"):
        faults.append(f"still waiting: {side['pending'][:3]}")
    if side.get("client"):
        faults += _client(side["events"], log)
    return faults


def _strayed(side: dict[str, Any], leg: Leg) -> list[str]:
    """Other ways than those that the client may use."""
    used = {way.split(" ")[1] for way, _ in side.get("ways", [])} - {""}
    allowed = set(leg.transports.split(",")) if leg.transports else used
    return [f"the client used {way}, which is turned off" for way in sorted(used - allowed)]


def _client(events: list[list[Any]], log: list[dict[str, Any]]) -> list[str]:
    """What the client handed out: all after the page's own, each once and in order."""
    ids = [event_id for event_id, _, _ in events if event_id is not None]
    faults = []
    if ids != sorted(set(ids)):
        faults.append("the client handed out events twice or out of order")
    messages = [event_id for event_id, kind, _ in events if kind == "new_message"]
    wanted = [m["event_id"] for m in log if not messages or m["event_id"] >= messages[0]]
    if messages != wanted:
        faults.append(f"the client {_difference(messages, wanted)}")
    return faults


def _difference(found: list[int], wanted: list[int]) -> str:
    twice = [n for n, times in Counter(found).items() if times > 1]
    absent = [wanted.index(n) for n in wanted if n not in found]
    strange = [n for n in found if n not in wanted]
    parts = [
        f"misses {len(absent)} of {len(wanted)} (places {absent[:8]})" if absent else "",
        f"has {len(twice)} twice" if twice else "",
        f"has {len(strange)} that the log has not" if strange else "",
    ]
    return ", ".join(part for part in parts if part) or "has another order than the log"


def _sent(written: dict[str, float], two: Two, who: int, log: list[dict[str, Any]]) -> list[str]:
    mine = [m["content"] for m in log if m["sender_id"] == two.people[who].user_id]
    if mine == list(written):
        return []
    times = Counter(mine)
    lost = [text for text in written if not times[text]]
    twice = [text for text, number in times.items() if number > 1]
    if lost or twice:
        return [f"never sent: {lost}, in the log twice: {twice}"]
    return [f"sent in another order than written: {mine}"]


def _way(side: dict[str, Any]) -> str:
    status = side.get("status") or {}
    return str(status.get("transport") or status.get("state") or "no client")


def _most(numbers: Iterable[int | None]) -> int | None:
    found = [number for number in numbers if number is not None]
    return max(found, default=None)


def _stall(side: dict[str, Any], log: list[dict[str, Any]], since: int) -> int | None:
    """Without the first event, which waits for the page."""
    shown = dict(side.get("shown", []))
    late = [
        round(shown[m["event_id"]] - m["event_id"] / 1000)
        for m in log
        if m["content"] != FIRST and m["event_id"] in shown and m["event_id"] > since
    ]
    return max(late, default=None)


def _sending(written: dict[str, float], log: list[dict[str, Any]], since: int) -> int | None:
    late = [
        round(m["event_id"] / 1000 - written[m["content"]])
        for m in log
        if m["content"] in written and m["event_id"] > since
    ]
    return max(late, default=None)
