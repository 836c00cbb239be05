"""Judging how long connections live: cut after silence, or after so long in all."""

from __future__ import annotations

from collections.abc import Iterator

from quartchat.doctor.measured import Idle, Measured
from quartchat.doctor.verdict import Finding

LONG_ENOUGH = 30.0
"""seconds: heartbeats come every 25 at the least, so a later cut of silent ones harms nothing"""
AT_ONCE = 0.5
"""seconds: what ends sooner was refused"""
SAME = 1.5
"""seconds by which the ends of two connections may differ that one limit cut"""


def idle(m: Measured) -> Iterator[Finding]:
    """Streams and WebSockets each: silent ones against those on which something was said."""
    yield from _pair(m, "stream", "beats", "stream")
    yield from _pair(m, "socket", "pings", "socket")
    hold = m.idle.get("hold")
    if hold and hold.why == "silent":
        yield Finding("hold_forgotten", {"seconds": f"{m.seconds:g}"})
    elif hold and _ended(hold):
        name = "hold_cut" if hold.lasted < LONG_ENOUGH else "hold_cut_late"
        yield Finding(name, {"seconds": _shown(hold), "status": shown_status(hold.status)})


def _pair(m: Measured, silent: str, busy: str, name: str) -> Iterator[Finding]:
    quiet, talking = (m.idle.get(key) for key in (silent, busy))  # type: ignore[call-overload]
    if talking and _ended(talking):
        yield Finding(f"{name}_life", {"seconds": _shown(talking)})
        if quiet and quiet.lasted > talking.lasted - SAME:
            return
    if quiet and _ended(quiet):
        if quiet.why == "silent":
            yield Finding(f"{name}_forgotten", {"seconds": f"{m.seconds:g}"})
            return
        late = "_late" if quiet.lasted >= LONG_ENOUGH else ""
        yield Finding(f"{name}_idle{late}", {"seconds": _shown(quiet)})


def _ended(one: Idle) -> bool:
    """Whether it ended too soon; what was refused at once never lived."""
    cut = one.why in ("cut", "refused", "html", "changed") and one.lasted > AT_ONCE
    return cut or one.why == "silent"


def shown_status(status: int) -> str:
    return f" ({status})" if status else ""


def _shown(one: Idle) -> str:
    return f"{one.lasted:.0f}" if one.lasted >= 3 else f"{one.lasted:.1f}"
