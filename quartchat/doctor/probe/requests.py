"""Plain requests: whether they arrive, of which kinds, what is kept, and what is done to them."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from statistics import median

import httpx
import msgspec

from quartchat.doctor.measured import Measured, Plain, Seen, Sending
from quartchat.doctor.probe.path import Answer, Path, ask, ask_once, ask_twice

SENT = {
    "Authorization": "Bearer probe",
    "Cookie": "qc_probe=1",
    "Last-Event-ID": "7",
    "X-Probe": "7",
}
BODIES: dict[Sending, tuple[str, str]] = {
    "text": ("text/plain;charset=UTF-8", '{"probe":"1"}'),
    "json": ("application/json", '{"probe":"1"}'),
    "form": ("application/x-www-form-urlencoded", "probe=1"),
}
WORDS = ("chat", "ws", "socket", "sse", "event", "stream", "poll", "live", "message", "api")
TRIES, PINGS = 3, 4
HOLD = 1.0


async def ping(path: Path, m: Measured) -> bool:
    """Whether the server answers at all; what it saw, and how long a round trip takes. Where no
    GET gets through, perhaps a POST does."""
    first = await _first(path, m)
    m.ping = first.plain
    if first.plain.why:
        if first.problem and first.plain.why == "refused":
            m.ping = Plain("changed", first.plain.status)
        elif first.plain.why in ("refused", "html", "changed"):
            await posts(path, m)
        return False
    assert first.response is not None
    m.http = first.response.http_version.removeprefix("HTTP/")
    m.lost = [name for name in SENT if name not in first.data.get("got", ())]
    with suppress(msgspec.ValidationError):
        m.seen = msgspec.convert(first.data.get("seen"), Seen)
    path.rtt, path.patience = first.plain.ms, max(8.0, 4 * first.plain.ms / 1000)
    more = [await ask(path, "p") for _ in range(PINGS if first.plain.ms < 1000 else 1)]
    m.asked += len(more)
    m.failed += sum(_is_bad(one) for one in more)
    m.rtt = median([one.plain.ms for one in more if not one.plain.why] or [first.plain.ms])
    path.rtt = m.rtt
    return True


async def _first(path: Path, m: Measured) -> Answer:
    for attempt in range(1, TRIES + 1):
        m.asked += 1
        answer = await ask(path, "p", headers=SENT)
        if answer.plain.why not in ("refused", "cut", "silent") or answer.problem:
            break
        if attempt < TRIES:
            m.failed += 1
    return answer


async def posts(path: Path, m: Measured) -> None:
    for name, (kind, body) in BODIES.items():
        headers = {"Content-Type": kind, "Origin": path.origin}
        got = await ask_twice(path, "p", "POST", headers=headers, content=body)
        if not got.plain.why and got.data.get("bytes") != len(body):
            got.plain.why = "changed"
        m.posts[name] = got.plain
        m.own = m.own and bool(got.data.get("own", True))


async def poll(path: Path, m: Measured) -> None:
    """A short long poll; `ms` is of an immediate one."""
    got = await ask_twice(path, "h", query={"seconds": HOLD})
    m.poll = (await ask(path, "h", query={"seconds": 0})).plain if not got.plain.why else got.plain


async def cache(path: Path, m: Measured) -> None:
    """The same address twice, then with something new in it."""
    url = f"{path.url}/t/d/c"
    ids = [await _id(path, address) for address in (url, url, f"{url}?n=1", f"{url}?n=2")]
    if ids[0] and ids[0] == ids[1]:
        m.cached = "same"
    if ids[2] and ids[2] in (ids[0], ids[3]):
        m.cached = "always"


async def _id(path: Path, url: str) -> str:
    try:
        return str(json.loads((await path.http.get(url)).content)["id"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return ""  # whatever is wrong with it, it is no answer out of a cache


async def words(path: Path, m: Measured) -> None:
    """Words in addresses that filters look for; each by itself only where all are denied."""
    if (await ask_twice(path, "a/" + "-".join(WORDS))).plain.why:
        answers = [await ask_twice(path, f"a/{word}") for word in WORDS]
        m.words = [word for word, one in zip(WORDS, answers, strict=True) if _is_bad(one)]


def _is_bad(one: Answer) -> bool:
    return one.plain.why not in ("", "busy")


async def together(path: Path, m: Measured) -> None:
    """Requests beside one that waits. Late, because some ways punish it for minutes."""
    waiting = asyncio.create_task(ask_once(path, "h", query={"seconds": HOLD}))
    await asyncio.sleep(HOLD / 4)
    answers = [*await asyncio.gather(*(ask_once(path, "p") for _ in range(3)))]
    held = await waiting
    answers += [] if m.poll.why else [held]
    m.parallel = next((one.plain for one in answers if _is_bad(one)), answers[0].plain)
