"""Judging how events come through: what is held back, late or altered on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from quartchat.doctor.measured import Measured, Plain, Stream
from quartchat.doctor.verdict import Finding, Way

LATE_MS = 90
"""a delay that is no chance: delayed acknowledgements take from 40 ms (twice) to 200 ms"""
PADDING = 2048
"""bytes with which the client begins a second attempt, where nothing comes through"""
BAD = ("refused", "html", "changed", "unreachable", "silent", "cut", "denied")
ORDER = ("octet", "sse", "html")
TYPES = {"octet": "application/octet-stream", "sse": "text/event-stream", "html": "text/html"}


def streams(m: Measured) -> Iterator[Finding]:
    yield from _grouped(m, "held_whole", lambda one: one.whole)
    yield from _grouped(
        m, "held_bytes", lambda one: 0 < one.held <= PADDING and not one.whole, of_bytes
    )
    yield from _grouped(m, "held_much", lambda one: one.held > PADDING and not one.whole, of_bytes)
    yield from _grouped(m, "stream_silent", lambda one: one.why == "silent")
    yield from _grouped(m, "stream_refused", lambda one: one.why in BAD and one.why != "silent")
    yield from _grouped(m, "late", is_late, of_delay)
    yield from _grouped(m, "compressed", lambda one: bool(one.encoding), of_encoding)
    if m.changed:
        yield Finding("changed", {"kinds": ", ".join(TYPES.get(one, one) for one in m.changed)})


def is_late(one: Stream) -> bool:
    return not one.why and not one.held and one.delay > LATE_MS


def of_bytes(found: list[Stream]) -> dict[str, int]:
    return {"bytes": max(one.held for one in found)}


def of_delay(found: list[Stream]) -> dict[str, int]:
    return {"ms": round(max(one.delay for one in found))}


def of_encoding(found: list[Stream]) -> dict[str, str]:
    return {"encoding": found[0].encoding}


def _grouped(
    m: Measured,
    name: str,
    suffers: Callable[[Stream], bool],
    more: Callable[[list[Stream]], dict[str, int] | dict[str, str]] = lambda _: {},
) -> Iterator[Finding]:
    """One finding for all types of content that suffer the same."""
    kinds = [kind for kind in ORDER if kind in m.streams and suffers(m.streams[kind])]
    found = [m.streams[kind] for kind in kinds]
    if found:
        yield Finding(name, {"kinds": ", ".join(TYPES[kind] for kind in kinds), **more(found)})


def ways(m: Measured) -> list[Way]:
    """How each transport does, the best first."""
    return [
        _websocket(m),
        _stream(m, "stream", m.streams.get("octet")),
        _stream(m, "sse", m.streams.get("sse")),
        _plain("poll", m.poll),
        _plain("serial", min(m.posts.values(), key=_rank, default=Plain())),
    ]


def _websocket(m: Measured) -> Way:
    socket = m.socket
    if socket.why:
        return Way("websocket", _failed(socket.why))
    cut = any(one.why in ("cut", "silent") for name, one in m.idle.items() if name == "pings")
    state = "hindered" if cut or not m.own else "works"
    return Way("websocket", state, socket.first)


def _stream(m: Measured, name: str, one: Stream | None) -> Way:
    if one is None or one.why:
        return Way(name, _failed(one.why if one else "untried"))
    if one.whole or one.held > PADDING:
        return Way(name, "fails")
    hindered = one.held or is_late(one)
    return Way(name, "hindered" if hindered else "works", one.first, one.delay)


def _plain(name: str, one: Plain) -> Way:
    return Way(name, _failed(one.why) if one.why else "works", one.ms)


def _failed(why: str) -> str:
    return "untried" if why in ("untried", "busy") else "fails"


def _rank(one: Plain) -> tuple[bool, float]:
    return bool(one.why), one.ms
