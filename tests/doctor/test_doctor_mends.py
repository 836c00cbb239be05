"""Through real proxies in front of the server: what is wrong is found, and the lines that are
advised, written into the proxy's settings, mend it."""

from __future__ import annotations

import re

import pytest
from doctors import doctor
from proxies.apache import apache
from proxies.haproxy import haproxy
from proxies.nginx import nginx
from proxies.place import Place
from proxies.programs import missing
from proxies.small import caddy

pytestmark = pytest.mark.slow
SECONDS = 7
CUT = "proxy_read_timeout 5s;"
HELD = "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;"
HOST = "proxy_set_header Host $http_host;"
PASSING = (
    "proxy_http_version 1.1; proxy_set_header Host $http_host;"
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $joined;"
)


def needs(*programs: str) -> pytest.MarkDecorator:
    lacking = missing(programs)
    return pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))


def name_of(line: str) -> str:
    """What a directive of nginx sets: it may be set once."""
    words = line.split()
    return " ".join(words[:2]) if words[0] == "proxy_set_header" else words[0]


def written_into(settings: str, advised: list[str]) -> str:
    """nginx's settings with the advised lines in the place of those that set the same."""
    names = {name_of(line) for line in advised}
    kept = [f"{one.strip()};" for one in settings.split(";") if one.strip()]
    return "\n".join([*(line for line in kept if name_of(line) not in names), *advised])


@needs("nginx")
@pytest.mark.parametrize(
    ("settings", "found"),
    [
        pytest.param("", {"upgrade_refused", "host_changed"}, marks=pytest.mark.thorough),
        pytest.param(HOST + HELD, {"upgrade_refused", "held_much"}, marks=pytest.mark.thorough),
        pytest.param(
            PASSING + CUT, {"stream_idle", "socket_idle", "hold_cut"}, marks=pytest.mark.thorough
        ),
        (HELD + CUT, {"upgrade_refused", "host_changed", "held_much", "hold_cut"}),
    ],
    ids=["plain", "buffering", "5 s of silence", "all of it"],
)
async def test_nginx_is_mended_by_the_advised_lines(
    place: Place, settings: str, found: set[str]
) -> None:
    bad = await doctor((await nginx(settings)(place)).url, "--seconds", SECONDS, "--json")
    assert (set(bad.found), bad.code) == (found, 1)
    lines = written_into(settings, bad.lines("nginx", "location"))
    maps = bad.lines("nginx", "in http") if "$connection_upgrade" in lines else []
    mended = await nginx(lines, http="\n".join(maps))(place)
    good = await doctor(mended.url, "--seconds", SECONDS, "--json")
    assert (good.found, good.code) == ({}, 0), good.report["ways"]


@pytest.mark.thorough
@needs("nginx")
async def test_the_seconds_after_which_nginx_cuts_are_told(place: Place) -> None:
    told = await doctor((await nginx(PASSING + CUT)(place)).url, "--seconds", SECONDS, "--json")
    assert {float(one["seconds"]) for one in told.found.values()} == {5}
    assert told.found["hold_cut"]["status"] == " (504)"
    assert set(told.ways.values()) == {"works"}


@needs("haproxy")
async def test_haproxy_is_mended_by_the_advised_lines(place: Place) -> None:
    bad = await doctor((await haproxy()(place)).url, "--quick", "--json")
    assert (set(bad.found), bad.code) == ({"late"}, 1)
    assert 150 < bad.found["late"]["ms"] < 1000
    assert bad.ways["stream"] == bad.ways["sse"] == "hindered"
    mended = await haproxy(defaults="\n".join(bad.lines("HAProxy")))(place)
    good = await doctor(mended.url, "--quick", "--json")
    assert (good.found, good.code) == ({}, 0)


@pytest.mark.thorough
@needs("haproxy")
async def test_haproxy_that_cuts_is_mended_by_the_advised_lines(place: Place) -> None:
    hasty = "timeout client 4000\ntimeout server 4000\ntimeout tunnel 4000"
    bad = await doctor((await haproxy(defaults=hasty)(place)).url, "--seconds", 6, "--json")
    assert {"stream_idle", "socket_idle", "hold_cut"} <= set(bad.found)
    lines = bad.lines("HAProxy")
    assert {re.match(r"timeout \w+", line)[0] for line in lines if "timeout" in line} == {  # type: ignore[index]
        "timeout client",
        "timeout server",
        "timeout tunnel",
    }
    mended = await haproxy(defaults=hasty + "\n" + "\n".join(lines))(place)
    good = await doctor(mended.url, "--seconds", 6, "--json")
    assert (good.found, good.code) == ({}, 0)


@pytest.mark.thorough
@needs("haproxy")
async def test_a_post_that_haproxy_repeats_is_counted(place: Place) -> None:
    retry = "option redispatch\n  retries 3\n  retry-on all-retryable-errors\n  timeout server 2000"
    told = await doctor((await haproxy(back=retry)(place)).url, "--seconds", 4, "--json")
    assert told.found["repeats"]["n"] > 1
    assert "retry-on none" in told.lines("HAProxy")


@pytest.mark.thorough
@needs("apache")
async def test_apache_is_mended_by_the_advised_lines(place: Place) -> None:
    deflate = "SetOutputFilter DEFLATE"
    bad = await doctor(
        (await apache(deflate, modules="deflate", pass_="timeout=4")(place)).url,
        "--seconds",
        6,
        "--json",
    )
    assert (set(bad.found), bad.code) == ({"upgrade_refused", "stream_idle", "hold_cut"}, 1)
    assert "compressed" in bad.noted
    assert bad.lines("Apache", "once") == ["a2enmod proxy_http proxy_wstunnel"]
    lines = "\n".join(bad.lines("Apache", "virtual host")).replace("8000", str(place.up))
    async with Place("mended", place.up, place.tls, place.certificate) as other:
        mended = await apache(f"{deflate}\n{lines}", modules="deflate env proxy_wstunnel")(other)
        good = await doctor(mended.url, "--seconds", 6, "--json")
    assert (good.found, good.code) == ({}, 0)
    assert "compressed" not in good.noted


@pytest.mark.thorough
@needs("caddy")
async def test_caddy_is_mended_by_the_advised_lines(place: Place) -> None:
    bad = await doctor(
        (await caddy(proxy="header_up -Upgrade\n  header_up -Connection")(place)).url,
        "--quick",
        "--json",
    )
    assert (set(bad.found), bad.code) == ({"upgrade_refused"}, 1)
    lines = "\n".join(bad.lines("Caddy", "in the site")).replace("8000", str(place.up))
    good = await doctor((await caddy(site=lines)(place)).url, "--quick", "--json")
    assert (good.found, good.code) == ({}, 0)
