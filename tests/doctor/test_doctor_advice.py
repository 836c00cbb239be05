"""All lines that are advised at once, for whatever is found, are settings that the real programs
take, and the site is still reached through them."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from proxies.apache import apache
from proxies.case import Door
from proxies.haproxy import haproxy
from proxies.nginx import nginx
from proxies.place import Place
from proxies.programs import missing
from proxies.small import caddy

from quartchat.doctor.recipes import RECIPES, places

pytestmark = pytest.mark.slow
MODULES = "proxy_wstunnel cache env ssl"


def advised(program: str, place: Place) -> dict[str, str]:
    """Where -> lines, as an operator fills them in: with his own port and certificate."""
    return {where: _own("\n".join(all_), place) for where, all_ in places(RECIPES, program).items()}


def _own(lines: str, place: Place) -> str:
    folder = place.certificate.parent
    lines = lines.replace("127.0.0.1:8000", f"127.0.0.1:{place.up}")
    for end in ("crt", "key", "pem"):
        lines = lines.replace(f"/etc/ssl/chat.{end}", str(folder / f"site.{end}"))
    return lines


async def nginx_with(place: Place) -> Door:
    inside, location, server = advised("nginx", place).values()
    port = place.port()
    server = server.replace("listen 443", f"listen 127.0.0.1:{port}")
    await nginx(location, http=inside, server=server)(place)
    return Door(f"https://127.0.0.1:{port}")


async def haproxy_with(place: Place) -> Door:
    lines, port = advised("HAProxy", place), place.port()
    both, whole, front = (lines[where] for where in lines)
    # Rules on requests stand in the frontend: `defaults` without a name takes none.
    rules = [line for line in both.splitlines() if line.startswith("http-request")]
    rest = [line for line in both.splitlines() if line not in rules]
    front = "\n".join([*rules, front.replace("bind :443", f"bind 127.0.0.1:{port}")])
    await haproxy(main=whole, defaults="\n".join(rest), front=front)(place)
    return Door(f"https://127.0.0.1:{port}")


async def apache_with(place: Place) -> Door:
    _, host = advised("Apache", place).values()
    return await apache(host, modules=MODULES, scheme="https")(place)


async def caddy_with(place: Place) -> Door:
    lines = advised("Caddy", place)
    site, options, whole = (lines[where] for where in lines)
    assert "reverse_proxy" in whole
    return await caddy(site, options=options)(place)


STARTS: dict[str, Callable[[Place], Awaitable[Door]]] = {
    "nginx": nginx_with,
    "haproxy": haproxy_with,
    "apache": apache_with,
    "caddy": caddy_with,
}


IN_CI = ("nginx", "haproxy")


def marked(program: str) -> object:
    lacking = missing((program,))
    marks = [pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]
    marks.append(pytest.mark.thorough(always=program in IN_CI))
    return pytest.param(program, marks=marks)


@pytest.mark.parametrize("program", [marked(program) for program in STARTS])
async def test_all_advised_lines_together_are_taken(place: Place, program: str) -> None:
    door = await STARTS[program](place)
    trusting = ssl.create_default_context(cafile=str(Path(place.certificate).parent / "site.crt"))
    async with httpx.AsyncClient(verify=trusting) as client:
        answer = await client.get(f"{door.url}/login")
    assert answer.status_code == 200
    assert "quartchat" in answer.text
