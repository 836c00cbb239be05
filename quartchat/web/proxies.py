"""Believing a proxy: the client's address and scheme as trusted proxies tell them.

Only a peer whose address is configured is believed, and of the addresses in the header the
last one that is not itself a trusted proxy counts: what stands before it anybody can write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import Any

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
SCHEMES = {"http": ("http", "ws"), "https": ("https", "wss")}


class TrustProxies:
    """ASGI middleware. `trusted`: addresses or networks. Raises ValueError for others."""

    def __init__(self, app: Asgi, trusted: Iterable[str]) -> None:
        self._app = app
        self._trusted = [ip_network(entry, strict=False) for entry in trusted]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        client = scope.get("client")
        if client and self._is_trusted(client[0]):
            scope = {**scope, **self._told(scope, client)}
        await self._app(scope, receive, send)

    def _told(self, scope: Any, client: Any) -> dict[str, Any]:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        told: dict[str, Any] = {}
        chain = [part.strip() for part in headers.get(b"x-forwarded-for", "").split(",")]
        real = next((part for part in reversed(chain) if not self._is_trusted(part)), None)
        if real and _is_address(real):
            told["client"] = (real, client[1])
        scheme = headers.get(b"x-forwarded-proto", "").strip().lower()
        if scheme in SCHEMES:
            told["scheme"] = SCHEMES[scheme][scope["type"] == "websocket"]
        return told

    def _is_trusted(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in net for net in self._trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
