"""A whole round of probes, within a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from quartchat.doctor.measured import Measured
from quartchat.doctor.probe import certificate, idle, requests, sizes, sockets, streams
from quartchat.doctor.probe.path import Path, opened, without_secrets
from quartchat.locale.texts import _

MOST_SECONDS = 90.0
"""for all but the silence, however slow the way is"""
Say = Callable[[str], None]


async def run(m: Measured, *, proxy: str | None, seconds: float, say: Say) -> None:
    """Measures the way to `m.url`, and fills `m` in as it goes, so that what is known stays known
    if it is cancelled: the transports first. `seconds`: how long silence is tried, 0: not at all.
    `say` is told in a line what comes next."""
    m.proxy = without_secrets(proxy) if proxy else ""
    try:
        async with asyncio.timeout(MOST_SECONDS + seconds):
            say(_("Is anybody there?"))
            tls = await certificate.look(m.url, proxy, m)
            async with opened(m.url, proxy, tls) as path:
                if await requests.ping(path, m):
                    await _all(path, m, seconds, say)
                m.throttled = path.throttled
    except TimeoutError:
        return
    m.is_whole = True


async def _all(path: Path, m: Measured, seconds: float, say: Say) -> None:
    say(_("WebSocket …"))
    await sockets.socket(path, m)
    say(_("Requests …"))
    await requests.poll(path, m)
    await requests.posts(path, m)
    say(_("Streams …"))
    await streams.streams(path, m)
    say(_("Caches, filters, limits …"))
    for step in (requests.cache, requests.words, sizes.unchanged, sizes.sizes):
        await step(path, m)
    say(_("Several at once …"))
    await requests.together(path, m)
    if seconds:
        say(_("Silence: {seconds} s …", seconds=f"{seconds:g}"))
        await idle.everything(path, m, seconds, together=not m.parallel.why)
