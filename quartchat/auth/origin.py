"""Where a browser's request came from: refuses what another site started.

Asked for cookie-borne requests that change something, and for every WebSocket handshake.
Browsers tell it by `Sec-Fetch-Site`, which no script can set; older ones, and those on
plain http, by `Origin`. What has neither is no browser, and carries no cookies unknowingly.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from urllib.parse import urlsplit

from quartchat.errors import CrossOrigin

PORTS = {"http": 80, "https": 443}
SECURE = {"https": "https", "wss": "https", "http": "http", "ws": "http"}


class Headers(Protocol):
    """Case-insensitive request headers; a dict with canonical names will do."""

    def get(self, name: str, /) -> str | None: ...


def check_origin(
    headers: Headers, *, host: str, scheme: str, allowed: Collection[str], websocket: bool
) -> None:
    """Raises CrossOrigin for a request that another site started.

    `host` is the Host header, `scheme` http, https, ws or wss as the client sees it where
    that is known; `allowed` are other origins, as in `https://example.org`.
    """
    origin = headers.get("Origin")
    if origin is not None and _is_allowed(origin, allowed):
        return
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        same = site.strip().lower() in ("same-origin", "none")
    else:
        same = origin is None or _is_own(origin, host, scheme)
    if not same:
        raise CrossOrigin(
            "This WebSocket was opened from another site, and was refused." if websocket else None
        )


def _is_allowed(origin: str, allowed: Collection[str]) -> bool:
    parsed = _parse(origin)
    return parsed is not None and any(_parse(entry.rstrip("/")) == parsed for entry in allowed)


def _is_own(origin: str, host: str, scheme: str) -> bool:
    parsed = _parse(origin)
    if parsed is None:
        return False
    # A proxy that ends TLS may not have told so: https is then seen as http, never the reverse.
    if SECURE.get(scheme.lower()) == "https" and parsed[0] != "https":
        return False
    return _parse(f"{parsed[0]}://{host}") == parsed


def _parse(origin: str) -> tuple[str, str, int] | None:
    """(scheme, host, port) in lower case, or None for what is no web origin (such as null)."""
    try:
        parts = urlsplit(origin.strip())
        port = parts.port
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in PORTS or not parts.hostname or not plain or "," in parts.netloc:
        return None
    return parts.scheme, parts.hostname, PORTS[parts.scheme] if port is None else port
