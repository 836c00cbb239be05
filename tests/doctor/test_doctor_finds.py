"""What proxies of networks do, that nobody at the server can mend: it is found, and the rest is
told to work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from doctors import doctor
from proxies.case import Door
from proxies.cases import CASES
from proxies.place import Place
from proxies.programs import missing

pytestmark = pytest.mark.slow
ALL = {"websocket", "stream", "sse", "poll", "serial"}
BY_NAME = {case.name: case for case in CASES}
# name of the case -> (what is found, which transports work all the same)
QUICK = {
    "Privoxy, as in Debian": ({"held_whole"}, ALL - {"sse"}),
    "Tinyproxy": (set(), ALL),
    "squid, as in Debian": ({"connect_denied"}, ALL - {"websocket"}),
    "squid, words in addresses denied": ({"connect_denied", "words"}, ALL - {"websocket"}),
    "squid, refusing JSON": ({"connect_denied", "post_kinds"}, ALL - {"websocket"}),
    "squid, stripping headers": ({"connect_denied", "headers_lost"}, ALL - {"websocket"}),
    "squid, bodies of 8 KB at most": ({"connect_denied", "limit_down"}, ALL - {"websocket"}),
    "squid, one connection per client": ({"connect_denied", "alone"}, ALL - {"websocket"}),
    "Varnish, caching all GETs": ({"cached_same"}, ALL),
    "Varnish, do_stream=false": ({"upgrade_refused", "held_whole"}, {"poll", "serial"}),
    "lighttpd, buffering": ({"upgrade_refused", "held_whole"}, {"poll", "serial"}),
    "mitmproxy, as it comes": ({"held_whole"}, ALL - {"stream", "sse"}),
    "mitmproxy, upgrade hangs": ({"upgrade_hangs"}, ALL - {"websocket"}),
    "mitmproxy, WebSocket open and silent": ({"frames_swallowed"}, ALL - {"websocket"}),
    "mitmproxy, a scanner's line in HTML": ({"held_whole", "changed"}, ALL - {"stream", "sse"}),
    "nginx, HTTP/2 and TLS, passing Upgrade": ({"untrusted"}, ALL),
}
SLOW = {
    "socat, 4 s idle": {"stream_idle": "4", "socket_idle": "4", "hold_cut": "4"},
    "idle flows forgotten after 4 s": {"stream_forgotten": "6", "hold_forgotten": "6"},
    "squid, TLS through CONNECT": {},
}
# Those that stand for the others where not all are asked for (-m thorough).
ALWAYS = {
    "Privoxy, as in Debian",
    "squid, as in Debian",
    "mitmproxy, as it comes",
    "idle flows forgotten after 4 s",
}


def marked(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.thorough(always=name in ALWAYS)) for name in names]


def lacking(name: str) -> list[str]:
    return missing(BY_NAME[name].needs)


async def opened(name: str, place: Place) -> Door:
    """With the proxy as bad as it is going to be."""
    door = await BY_NAME[name].start(place)
    if door.begin:
        await door.begin()
    return door


@pytest.mark.parametrize("name", marked(QUICK))
async def test_what_a_proxy_does_is_found_and_what_works_is_told(place: Place, name: str) -> None:
    if lacking(name):
        pytest.skip("; ".join(lacking(name)))
    door = await opened(name, place)
    proxy = ("--proxy", door.proxy) if door.proxy else ()
    told = await doctor(door.url, "--quick", "--json", *proxy)
    found, working = QUICK[name]
    assert set(told.found) == found
    assert {way for way, state in told.ways.items() if state in ("works", "hindered")} == working
    assert told.code == (1 if found else 0)


@pytest.mark.parametrize("name", marked(SLOW))
async def test_how_long_silence_is_borne_is_told(place: Place, name: str) -> None:
    if lacking(name):
        pytest.skip("; ".join(lacking(name)))
    door = await opened(name, place)
    proxy = ("--proxy", door.proxy) if door.proxy else ()
    told = await doctor(door.url, "--seconds", 6, "--json", *proxy)
    found = {kind: told.found.get(kind, {}).get("seconds") for kind in SLOW[name]}
    assert found == SLOW[name]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_the_proxy_of_the_environment_is_gone_by(place: Place, variable: str) -> None:
    if lacking("Tinyproxy"):
        pytest.skip("; ".join(lacking("Tinyproxy")))
    door = await BY_NAME["Tinyproxy"].start(place)
    assert door.proxy
    told = await doctor(door.url, "--quick", **{variable: door.proxy})
    assert told.code == 0, told.out
    assert door.proxy.removeprefix("http://") in told.out


async def test_a_proxys_login_is_asked_for_and_never_shown(place: Place) -> None:
    name = "squid, a login asked for"
    if lacking(name):
        pytest.skip("; ".join(lacking(name)))
    door = await BY_NAME[name].start(place)
    assert door.proxy and door.login
    refused = await doctor(door.url, "--quick", "--json", "--proxy", door.proxy)
    assert (list(refused.found), refused.code) == (["proxy_login"], 2)
    known = door.proxy.replace("//", "//{}:{}@".format(*door.login))
    told = await doctor(door.url, "--quick", "--json", "--proxy", known)
    assert told.ways["stream"] == "works"
    assert ":".join(door.login) not in told.out
