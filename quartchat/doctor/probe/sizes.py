"""How long bodies, addresses and headers may be, and whether they arrive as they were sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx

from quartchat.doctor.measured import Limit, Measured, Plain
from quartchat.doctor.probe.path import PROBLEM, Answer, Path, ask_twice, strange
from quartchat.doctor.probe.requests import BODIES
from quartchat.doctor.schedule import LETTERS

SIZES = {
    "up": (48_000, 16_000, 8_000, 4_000, 1_000),
    "down": (64_000, 32_000, 16_000, 8_000, 4_000, 1_000),
    "url": (4_000, 2_000, 1_000),
    "header": (7_000, 4_000, 2_000, 1_000),
}
PAGE_BYTES = 1_008
TYPES = {"octet": "application/octet-stream", "html": "text/html"}
Attempt = Callable[[int], Awaitable[Answer]]


async def sizes(path: Path, m: Measured) -> None:
    async def up(size: int) -> Answer:
        kind = next(BODIES[name][0] for name, one in m.posts.items() if not one.why)
        headers = {"Content-Type": kind}
        return await ask_twice(path, "p", "POST", headers=headers, content=b"x" * size)

    async def down(size: int) -> Answer:
        found = await many_bytes(path, size)
        return await many_bytes(path, size) if found.plain.why else found

    async def url(size: int) -> Answer:
        return await ask_twice(path, "p", query={"x": "x" * size})

    async def header(size: int) -> Answer:
        return await ask_twice(path, "p", headers={"X-Long": "x" * size})

    if any(not one.why for one in m.posts.values()):
        m.limits["up"] = await largest(up, SIZES["up"])
    m.limits["down"] = await largest(down, SIZES["down"])
    m.limits["url"] = await largest(url, SIZES["url"])
    m.limits["header"] = await largest(header, SIZES["header"])


async def largest(attempt: Attempt, sizes: tuple[int, ...]) -> Limit:
    """`sizes` fall. An answer of the server's own counts, also a refusal: it has arrived."""
    failed = 0
    for size in sizes:
        if (await attempt(size)).is_from_server:
            return Limit(size, failed)
        failed = size
    return Limit(0, failed)


async def many_bytes(path: Path, size: int, kind: str = "octet") -> Answer:
    """An answer of a known length, "changed" if it has another, or another type."""
    url, _name = path.address("b", bytes=size, kind=LETTERS[kind])
    try:
        response = await path.http.get(url, timeout=path.patience)
    except httpx.HTTPError:
        return Answer(Plain("cut"))
    type_ = response.headers.get("content-type", "")
    if type_.startswith(PROBLEM):
        return Answer(Plain("busy", response.status_code), problem="busy")
    if response.status_code != 200:
        return Answer(Plain("refused", response.status_code))
    if kind != "html" and strange(type_) == "html" and len(response.content) != size:
        return Answer(Plain("html", response.status_code))
    same = len(response.content) == size and type_.startswith(TYPES[kind])
    return Answer(Plain("" if same else "changed", response.status_code))


async def unchanged(path: Path, m: Measured) -> None:
    for kind in TYPES:
        tries = [await many_bytes(path, PAGE_BYTES, kind)]
        if tries[0].plain.why == "changed":
            tries.append(await many_bytes(path, PAGE_BYTES, kind))
        if all(one.plain.why == "changed" for one in tries):
            m.changed.append(kind)
