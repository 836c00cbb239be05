"""What a probing stream sends and when: known to the server, which sends it, and to who judges.

At first a few short events, which come through at once where nothing holds them back; after a
pause events with padding, so that the sum of all doubles and doubles: the moment at which the
first ones arrive tells how much had been collected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

SHORT = (0.0, 0.3, 0.6, 0.9)
"""seconds at which the short events are sent; further apart than a receipt may be delayed"""
PAUSE_ENDS, STEP = 1.8, 0.15
SUMS = (512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768)
"""bytes sent in all, after each of the padded events"""
LAST = len(SHORT) - 1
LETTERS = {"octet": "a", "sse": "b", "html": "c"}
"""how kinds are named in addresses: no filter finds a word in them"""
FRAMES = {"octet": ("", "\n"), "sse": ("data: ", "\n\n"), "html": ("<p>", "</p>\n")}
HEADS = {"octet": "", "sse": "", "html": "<!doctype html><title>…</title>\n"}


def moments() -> Iterator[tuple[float, int]]:
    """(seconds after the beginning, bytes that are to have been sent by then; 0: as they come)."""
    yield from ((at, 0) for at in SHORT)
    yield from ((PAUSE_ENDS + number * STEP, size) for number, size in enumerate(SUMS))


def event(kind: str, number: int, at_ms: float, pad: int = 0, *, is_last: bool = False) -> bytes:
    """One event in the form of this kind of stream; `pad`: bytes that it is to take at least."""
    before, after = FRAMES[kind]
    data = {"k": number, "at": round(at_ms), "end": is_last}
    text = json.dumps(data, separators=(",", ":"))
    room = pad - len(before) - len(text) - len(after) - len(',"pad":""')
    if room > 0:
        text = f'{text[:-1]},"pad":"{"." * room}"}}'
    return f"{before}{text}{after}".encode()
