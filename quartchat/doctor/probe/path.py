"""The way to the server: its address, the proxy that this machine is set to use, and one request
on it."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from quartchat.doctor.measured import Plain, Why

PROBLEM = "application/problem+json"
TOO_FAST = frozenset({429, 503})
PAUSE, MOST_PAUSES = 2.0, 6


@dataclass
class Path:
    """`patience`: seconds to wait for what must come at once; it grows with the round trip."""

    url: str
    proxy: str | None
    tls: ssl.SSLContext
    http: httpx.AsyncClient
    patience: float = 8.0
    rtt: float = 0.0
    throttled: int = 0
    pauses: int = 0

    def address(self, path: str, **query: object) -> tuple[str, str]:
        """(URL, its name): a new name for each request, so that an old answer is known as such."""
        name = secrets.token_hex(6)
        asked = "&".join(f"{key}={value}" for key, value in {"n": name, **query}.items())
        return f"{self.url}/t/d/{path}?{asked}", name

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def proxy_for(url: str) -> str | None:
    """The proxy that this machine's settings name for the address (HTTP_PROXY and the like)."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc):
        return None
    known = urllib.request.getproxies()
    found = known.get(parts.scheme) or known.get("all")
    return found if found is None or "://" in found else f"http://{found}"


def without_secrets(proxy: str) -> str:
    parts = urlsplit(proxy)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


@asynccontextmanager
async def opened(url: str, proxy: str | None, tls: ssl.SSLContext) -> AsyncIterator[Path]:
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=20)
    timeout = httpx.Timeout(8.0, pool=30.0)
    async with httpx.AsyncClient(
        http2=True, proxy=proxy, verify=tls, trust_env=False, timeout=timeout, limits=limits
    ) as http:
        yield Path(url.rstrip("/"), proxy, tls, http)


@dataclass
class Answer:
    """`data`: of JSON that is the server's own; `problem`: its own refusal."""

    plain: Plain
    data: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    response: httpx.Response | None = None

    @property
    def is_from_server(self) -> bool:
        return not self.plain.why or bool(self.problem)


async def ask(path: Path, where: str, method: str = "GET", **more: Any) -> Answer:
    """One request to a probe that answers with JSON. `more`: query, headers, content, patience.
    One that is denied because it came too soon is made again, later."""
    answer = await ask_once(path, where, method, **more)
    too_fast = answer.plain.status in TOO_FAST and not answer.problem
    if too_fast and path.rtt and path.pauses < MOST_PAUSES:
        path.pauses += 1
        await asyncio.sleep(PAUSE)
        denied, answer = answer.plain.status, await ask_once(path, where, method, **more)
        path.throttled = path.throttled if answer.plain.why else denied
    return answer


async def ask_twice(path: Path, where: str, method: str = "GET", **more: Any) -> Answer:
    """For what is a yes or no: once more if it failed, as it does by chance on bad ways."""
    answer = await ask(path, where, method, **more)
    return await ask(path, where, method, **more) if answer.plain.why else answer


async def ask_once(path: Path, where: str, method: str = "GET", **more: Any) -> Answer:
    more = dict(more)
    patience = more.pop("patience", path.patience)
    url, name = path.address(where, **more.pop("query", {}))
    began = time.monotonic()
    try:
        response = await path.http.request(method, url, timeout=patience, **more)
    except httpx.HTTPError as error:
        return Answer(failure(error, began))
    answer = _read(response, name)
    answer.plain.ms = _ms(began)
    return answer


def failure(error: Exception, began: float) -> Plain:
    """What an exception of httpx says of the way."""
    status = 0
    why: Why = "cut"
    if isinstance(error, httpx.ProxyError):
        status = int(str(error)[:3]) if str(error)[:3].isdigit() else 0
        why = "refused" if status == 407 else "denied"
    elif isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | httpx.UnsupportedProtocol):
        why = "unreachable"
    elif isinstance(error, httpx.TimeoutException):
        why = "silent"
    return Plain(why, status, _ms(began))


def _ms(began: float) -> float:
    return (time.monotonic() - began) * 1000


def _read(response: httpx.Response, name: str) -> Answer:
    status, kind = response.status_code, response.headers.get("content-type", "")
    data = _object(response)
    if kind.startswith(PROBLEM) and isinstance(data.get("code"), str):
        why: Why = "busy" if data["code"] == "rate_limited" else "refused"
        return Answer(Plain(why, status), problem=data["code"], response=response)
    if status != 200:
        return Answer(Plain("refused", status), response=response)
    if data.get("n") == name:
        return Answer(Plain("", status), data, response=response)
    return Answer(Plain(strange(kind), status), data, response=response)


def strange(kind: str) -> Why:
    """What stands in the place of the server's answer."""
    return "html" if kind.startswith(("text/html", "application/xhtml")) else "changed"


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
