"""How long connections live: silent ones, and ones on which something is said."""

from __future__ import annotations

import asyncio
import contextlib
import time

import httpx

from quartchat.doctor.measured import Idle, Measured
from quartchat.doctor.probe import sockets
from quartchat.doctor.probe.path import Path, ask, failure
from quartchat.doctor.probe.streams import EVENT

GRACE = 3.0
SLOW_POST = 10.0
"""seconds after which gateways have repeated a POST, if they do"""


async def everything(path: Path, m: Measured, seconds: float, *, together: bool) -> None:
    """All at once, or only a long poll where one connection is all that is allowed."""
    m.seconds = seconds
    m.idle["hold"] = Idle()
    if not together:
        await hold(path, m, seconds)
        return
    kept = [hold(path, m, seconds), slow_post(path, m, seconds)]
    if not m.streams["octet"].why and not m.streams["octet"].held:
        kept += [stream(path, m, seconds, every=every) for every in (0, 1)]
    if not m.socket.why:
        kept += [sockets.idle(path, m, seconds, talks=talks) for talks in (False, True)]
    await asyncio.gather(*kept)


async def hold(path: Path, m: Measured, seconds: float) -> None:
    """A long poll that is answered after so long."""
    began, patience = time.monotonic(), seconds + path.patience
    got = await ask(path, "h", query={"seconds": seconds}, patience=patience)
    lasted = min(time.monotonic() - began, 600)
    why = got.plain.why
    m.idle["hold"] = Idle(why, got.plain.status, seconds if not why else lasted)


async def slow_post(path: Path, m: Measured, seconds: float) -> None:
    """A POST that is not answered for a while: how often does it arrive? Without a body, because a
    proxy repeats what it still has as a whole."""
    url, name = path.address("h", seconds=min(seconds, SLOW_POST))
    with contextlib.suppress(httpx.HTTPError):
        await path.http.post(url, timeout=SLOW_POST + path.patience)
    told = await ask(path, "n", query={"n": name})
    m.repeated = int(told.data.get("times", 0))


async def stream(path: Path, m: Measured, seconds: float, *, every: float) -> None:
    url, _name = path.address("i", seconds=seconds, every=every)
    began, text, lasted = time.monotonic(), b"", Idle("cut")
    m.idle["beats" if every else "stream"] = lasted
    patience = (every or seconds) + GRACE + path.patience
    try:
        async with path.http.stream("GET", url, timeout=patience) as response:
            if response.status_code != 200:
                lasted.why = "busy" if response.status_code == 429 else "refused"
                lasted.status = response.status_code
                return
            async for chunk in response.aiter_bytes():
                text = text[-100:] + chunk
                if any(found[3] == b"true" for found in EVENT.finditer(text)):
                    lasted.why, lasted.lasted = "", seconds
                    return
                lasted.lasted = time.monotonic() - began
    except httpx.HTTPError as error:
        lasted.why = failure(error, began).why
    if lasted.why != "silent":
        lasted.lasted = time.monotonic() - began
