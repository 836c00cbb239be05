"""Bad networks: a relay of our own between the browser and the site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from proxies.case import NAME, Door, Table
from proxies.place import Place
from proxies.relay import Mischief, Relay, relaying

TABLE = Table()


def network(
    mischief: Mischief | None, *, late: bool = False, host: str = "127.0.0.1", scheme: str = "http"
) -> Callable[[Place], Awaitable[Door]]:
    """`late`: the network turns bad when both pages are there."""

    async def start(place: Place) -> Door:
        relay = Relay(place.up, None if late else mischief, mischief if late else None)
        port = place.port()
        await place.stack.enter_async_context(relaying(relay, port))
        return Door(f"{scheme}://{host}:{port}", begin=relay.begin if late else None)

    return start


def bad(scheme: str = "http", **mischief: Any) -> Callable[[Place], Awaitable[Door]]:
    """Turns bad when both pages are there: one that does not load proves little."""
    return network(Mischief(**mischief), late=True, scheme=scheme)


async def straight(place: Place) -> Door:
    return Door(f"http://127.0.0.1:{place.up}")


add = TABLE.add
add("no proxy", straight, ci=True, firefox=True, note="for comparison")
add("no proxy, a host name", network(None, host=NAME), note="no secure context")
add("swallowed after 3 s", bad(swallow_after=3), ci=True, firefox=True)
add("answers swallowed after 4 s", bad(swallow_after=4, swallow="down"))
add("requests swallowed after 4 s", bad(swallow_after=4, swallow="up"))
add("idle flows forgotten after 4 s", bad(forget_idle=4))
add("idle flows forgotten after 1.5 s", bad(forget_idle=1.5))
add("reset after 2 KB", bad(reset_after_bytes=2048))
add("every connection ends at 10 s", bad(life=10))
add("every connection ends at 2 s", bad(life=2))
add("5 s round trip", bad(delay=2.5), stall=25, settle=60)
add("1 s round trip", bad(delay=0.5), stall=12)
add("300 bytes per second", bad(rate=300), calm=True, stall=40, settle=60)
add("2 KB per second", bad(rate=2000), stall=30, settle=60)
add("connecting takes 3 s", bad(connect_delay=3), stall=20)
add("two connections, others hang", bad(most=2), own=True)
add("one connection, others hang", bad(most=1), own=True)
add("network gone for 4 s of 9", bad(down_for=4, up_for=5))
add("dark for 8 s", bad(dark_from=3, dark_for=8), stall=20)
add("no proxy, HTTP/2", network(None, scheme="https"), h2=True)
add(
    "HTTP/2, swallowed after 3 s",
    bad("https", swallow_after=3),
    h2=True,
    stall=30,
    note="all goes over one connection, and the browser gives it up after 20 s",
)
add("HTTP/2, idle flows forgotten after 4 s", bad("https", forget_idle=4), h2=True)
add("HTTP/2, every connection ends at 5 s", bad("https", life=5), h2=True)
add("HTTP/2, 1 s round trip", bad("https", delay=0.5), h2=True)
