"""Streamed bodies: whether, and how late, their events come through."""

from __future__ import annotations

import asyncio
import re
import time

import httpx

from quartchat.doctor.measured import Kind, Measured, Stream
from quartchat.doctor.probe.path import PROBLEM, Path, ask, failure, strange
from quartchat.doctor.schedule import LAST, LETTERS, PAUSE_ENDS, SHORT, STEP, SUMS

KINDS: tuple[Kind, ...] = ("octet", "sse", "html")
EVENT = re.compile(rb'\{"k":(\d+),"at":(\d+),"end":(true|false)')
LENGTH = PAUSE_ENDS + STEP * len(SUMS)
SURELY_PROMPT_MS, MORE_TRIES = 50, 2
BURST_MS = 150
"""what comes within this of each other was let go together"""
PROMPT_MS = (PAUSE_ENDS - SHORT[LAST]) * 1000 * 0.8
"""an event that is no later than this has not waited for those after the pause"""


class Watch:
    """Follows one stream: `take` what comes; `stream` is what it amounts to."""

    def __init__(self, rtt: float) -> None:
        self.stream = Stream("cut")
        self._rtt = rtt
        self._text = b""
        self._came: dict[int, float] = {}  # number of an event -> ms after it was sent
        self._burst: float | None = None  # when the last short event came, if that was late
        self._ended = False

    def take(self, chunk: bytes, now: float) -> bool:
        """`now`: ms since it was asked for. Whether enough is known."""
        if self._burst is not None and now > self._burst + BURST_MS:
            return self._know()
        self._text += chunk
        for found in EVENT.finditer(self._text):
            self._came.setdefault(int(found[1]), now - float(found[2]))
            self._ended = found[3] == b"true"
        if self._came and not self.stream.first:
            self.stream.why, self.stream.first = "", now
        if LAST not in self._came:
            return False
        if self._burst is None:
            self._burst = now
            self.stream.held = len(chunk)
        else:
            self.stream.held += len(chunk)
        prompt = self._came[LAST] - self._rtt < PROMPT_MS and max(self._came) == LAST
        return self._know() if prompt or self._ended else False

    def _know(self) -> bool:
        if max(self._came) == LAST:  # late perhaps, but before what was sent after the pause
            late = min(self._came[number] for number in range(1, LAST + 1))
            self.stream.delay, self.stream.held = max(0.0, late - self._rtt), 0
        self.stream.whole = self._ended
        return True


async def streams(path: Path, m: Measured) -> None:
    """One after the other: some ways allow no two."""
    for kind in KINDS:
        found = await _on_open_connection(path, kind)
        for _ in range(MORE_TRIES):  # a busy machine is late too, but not always
            if found.delay > SURELY_PROMPT_MS:
                again = await _on_open_connection(path, kind)
                found = again if not again.why and again.delay < found.delay else found
        m.streams[kind] = found


async def _on_open_connection(path: Path, kind: Kind) -> Stream:
    await ask(path, "p")
    return await one(path, kind, (await ask(path, "p")).plain.ms)


async def one(path: Path, kind: Kind, rtt: float) -> Stream:
    """One stream, read until it is known how its events come through."""
    url, _name = path.address("s", kind=LETTERS[kind])
    watch, began, patience = Watch(rtt), time.monotonic(), path.patience + LENGTH
    try:
        async with (
            asyncio.timeout(patience),
            path.http.stream("GET", url, timeout=patience) as response,
        ):
            if refusal := _refusal(response):
                return refusal
            watch.stream.encoding = _encoding(response)
            async for chunk in response.aiter_bytes():
                if watch.take(chunk, (time.monotonic() - began) * 1000):
                    return watch.stream
            if watch.stream.why:
                watch.stream.why = strange(response.headers.get("content-type", ""))
    except httpx.HTTPError as error:
        watch.stream.why = failure(error, began).why if watch.stream.why else "cut"
    except TimeoutError:
        watch.stream.why = "silent"
    return watch.stream


def _refusal(response: httpx.Response) -> Stream | None:
    kind = response.headers.get("content-type", "")
    if kind.startswith(PROBLEM) and response.status_code == 429:
        return Stream("busy", 429)
    if response.status_code != 200:
        return Stream("refused", response.status_code)
    return None


def _encoding(response: httpx.Response) -> str:
    encoding = str(response.headers.get("content-encoding", "identity")).lower()
    return "" if encoding == "identity" else encoding[:20]
