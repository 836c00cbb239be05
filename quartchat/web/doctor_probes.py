"""The other end of `quartchat doctor`: answers that anybody may ask for, under addresses in which
no filter finds a word. What they say is made here, but for numbers and a short name that the asker
gave."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from ipaddress import ip_address
from typing import Any, cast

from quart import Blueprint, Response, current_app, has_websocket_context, request, websocket

from quartchat.access import check_same_origin
from quartchat.doctor import schedule
from quartchat.errors import ChatError, Invalid
from quartchat.transports import base
from quartchat.web.doctor_guard import Guard

blueprint = Blueprint("doctor_probes", __name__, url_prefix="/t/d")
LONGEST = 90.0  # seconds that a probe may stay open
MOST_BYTES = 64_000
BYTES_EACH = 4096  # for the price of one probe
NAME = re.compile(r"[\w.-]{1,40}", re.ASCII)
TYPES = {"octet": base.STREAM_TYPE, "sse": base.SSE_TYPE, "html": "text/html; charset=utf-8"}
# Headers that a prober sends, with the value that arrives where nobody touches it.
SENT = {"Authorization": "Bearer probe", "Last-Event-ID": "7", "X-Probe": "7"}
COOKIE = "qc_probe"
PAGE = "<!doctype html><html><head><title>probe</title></head><body><p>{}</p></body></html>"


@blueprint.record_once
def _install(state: Any) -> None:
    state.app.extensions["quartchat.doctor"] = Guard(
        no_limits=state.app.extensions["quartchat"].settings.no_limits
    )


def guard() -> Guard:
    return cast(Guard, current_app.extensions["quartchat.doctor"])


@blueprint.before_request
@blueprint.before_websocket
async def limit() -> None:
    guard().take(address())


def address() -> str:
    asked = websocket if has_websocket_context() else request
    return asked.remote_addr or ""


def answer(**data: Any) -> Response:
    headers = {**base.HEADERS, "Content-Type": "application/json"}
    return Response(json.dumps({"n": _name(), **data}), headers=headers)


def _name() -> str:
    """What the asker calls this request, so that an old answer is known from a new one."""
    given = request.args.get("n", "")
    return given if NAME.fullmatch(given) else ""


def number(name: str, default: float, most: float) -> float:
    try:
        value = float(request.args.get(name, default))
    except ValueError as error:
        raise Invalid("{name} takes a number of seconds.", field=name, name=name) from error
    return min(max(value, 0.0), most) if value == value else default  # noqa: PLR0124


def kind_asked_for() -> str:
    letter = request.args.get("kind", "")
    return next((kind for kind, name in schedule.LETTERS.items() if name == letter), "octet")


@blueprint.get("/p")
@blueprint.get("/a/<words>")
async def ping(words: str = "") -> Response:
    got = [name for name, value in SENT.items() if request.headers.get(name) == value]
    got += ["Cookie"] if request.cookies.get(COOKIE) else []
    return answer(quartchat=1, got=got, seen=seen())


def seen() -> dict[str, Any]:
    """What there is to see of a request's way. No address but its own peers' names for
    themselves."""
    peer = request.remote_addr or ""
    chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    return {
        "http": request.http_version,
        "scheme": request.scheme,
        "host": request.host[:100],
        "via": request.headers.get("Via", "")[:100],
        "forwarded": bool(chain[0]),
        "believed": bool(base.services().settings.trusted_proxies) and peer in chain,
        "near": _is_near(peer),
    }


def _is_near(peer: str) -> bool:
    try:
        return ip_address(peer).is_private
    except ValueError:
        return False


@blueprint.post("/p")
async def take_in() -> Response:
    """How much came, of what type, and whether it counts as sent by this site's own pages."""
    body = await request.get_data(cache=False, parse_form_data=False)
    return answer(bytes=len(body), type=request.mimetype, own=_is_own())


def _is_own() -> bool:
    try:
        check_same_origin(base.services(), base.knock(request))
    except ChatError:
        return False
    return True


@blueprint.get("/c")
async def once() -> Response:
    return answer(id=secrets.token_hex(8))


@blueprint.get("/b")
async def many_bytes() -> Response:
    """Just so many bytes, as text that is easily checked, or as a page of that length."""
    size = round(number("bytes", 1000, MOST_BYTES))
    guard().take(address(), size // BYTES_EACH)
    kind = "html" if kind_asked_for() == "html" else "octet"
    text = PAGE.format("." * max(0, size - len(PAGE.format(""))))
    if kind == "octet":
        text = "0123456789abcdef" * (size // 16)
    return Response(text, headers={**base.HEADERS, "Content-Type": TYPES[kind]})


@blueprint.route("/h", methods=["GET", "POST"])
async def held() -> Response:
    """Answers after so many seconds."""
    guard().check_room(address())
    guard().arrived(_name())
    with guard().staying(address()):
        await asyncio.sleep(number("seconds", 1, LONGEST))
    return answer()


@blueprint.get("/n")
async def times() -> Response:
    """How often what is called so has arrived at `/h`."""
    return answer(times=guard().times(_name()))
