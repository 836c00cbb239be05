"""What every response carries for safety, and what other origins may do."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256

from quart import Quart, Response, current_app, g, request

from quartchat.access import check_request_rate
from quartchat.transports import base

POLICY = (
    "default-src 'none'; script-src 'self'{script}; img-src 'self' data: blob:; "
    "media-src 'self' blob:; "
    "connect-src 'self'{sockets}; "
    "style-src 'self'{nonce}; form-action 'self'; frame-src 'self'; base-uri 'self'; "
    "frame-ancestors 'self'"
)
# Nothing there is a page; every byte counts where connections are cut after a few kilobytes.
NO_PAGES = "/t/"
ALLOWED = "Authorization, Content-Type, Last-Event-ID, Range, X-HTTP-Method-Override"
TUS = "Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset, Upload-Expires"
TUS_SAYS = "Tus-Version, Tus-Extension, Tus-Max-Size"
UNLIMITED = ("/health/", "/s/", "/static/")


def install(app: Quart) -> None:
    app.before_request(_before)
    app.after_request(_after)


async def _before() -> Response | None:
    if not request.path.startswith(UNLIMITED):
        check_request_rate(base.services(), request.remote_addr or "")
    if request.method == "OPTIONS" and _allowed_origin():
        return Response("", 204)
    return None


async def _after(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    if not request.path.startswith(NO_PAGES):
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Content-Security-Policy", _policy())
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.scheme == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if base.services().settings.allowed_origins:
        headers.add("Vary", "Origin")
    if origin := _allowed_origin():
        _open_to(response, origin)
    return response


def _policy() -> str:
    nonce = f" 'nonce-{g.nonce}'" if "nonce" in g else ""
    host = request.host  # older browsers do not count WebSockets of the own origin as 'self'
    sockets = f" ws://{host} wss://{host}" if _is_plain(host) else ""
    return POLICY.format(nonce=nonce, sockets=sockets, script=_script())


def _script() -> str:
    """The one script that stands in pages, by its hash."""
    again: str = current_app.extensions["quartchat.renderer"].again
    return f" '{_hash(again)}'"


@cache
def _hash(script: str) -> str:
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def _is_plain(host: str) -> bool:
    return bool(host) and all(char.isalnum() or char in ".-:[]" for char in host)


def _allowed_origin() -> str | None:
    origin = request.headers.get("Origin")
    allowed = base.services().settings.allowed_origins
    return origin if origin and origin in allowed else None


def _open_to(response: Response, origin: str) -> None:
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PATCH, DELETE"
    response.headers["Access-Control-Allow-Headers"] = f"{ALLOWED}, {TUS}"
    response.headers["Access-Control-Expose-Headers"] = f"Location, {TUS}, {TUS_SAYS}"
