"""`/doctor`: what gets through from where somebody stands, for everybody. Their browser measures,
here it is judged, by what `quartchat doctor` judges with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from markupsafe import Markup
from quart import Blueprint, Response, request

from quartchat.errors import BadRequest, ChatError, TooLarge
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.api import answer
from quartchat.web.doctor_guard import Guard
from quartchat.web.doctor_probes import COOKIE, TYPES, guard, seen
from quartchat.web.locale import _

blueprint = Blueprint("doctor", __name__)
blueprint.after_request(views.keep_login)
MOST_MEASURED = 8_000  # bytes of what a page has measured
PRICE = 5
LINES = 5  # of the test without scripts, one a second


@blueprint.get("/doctor")
async def page() -> Response:
    response = await views.page("doctor.html", me=await _perhaps_me(), seen=seen())
    secure = request.scheme == "https"
    response.set_cookie(COOKIE, "1", path="/t/d", secure=secure, httponly=True, samesite="Lax")
    return response


async def _perhaps_me() -> dict[str, Any] | None:
    try:
        return await views.person(await views.viewer())
    except ChatError:
        return None


@blueprint.route("/t/d/v", methods=["GET", "POST"])
async def verdict() -> Response:
    """What a page has measured, as the report to show and as text to copy. By POST of any type,
    else in the query: whatever gets through."""
    from quartchat.doctor import measured, report  # noqa: PLC0415  (6 MB that few servers need)

    guard().take(request.remote_addr or "", PRICE)
    try:
        raw = request.args.get("m", "") if request.method == "GET" else await _body()
        if len(raw) > MOST_MEASURED:
            raise TooLarge
        m = measured.read(raw)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadRequest from error
    m.by = "browser"
    html = views.renderer().page("partials/doctor_report.html", **report.view(m))
    return answer({"html": html, "text": report.as_text(m), "outcome": report.view(m)["outcome"]})


async def _body() -> str:
    if request.mimetype == "application/x-www-form-urlencoded":
        return str((await request.form).get("m", ""))
    return str(await request.get_data(cache=False, as_text=True))


@blueprint.get("/doctor/lines")
async def lines() -> Response:
    """A page that says a line each second: where the lines come all at once, pages are held
    back."""
    guard().take(request.remote_addr or "", PRICE)
    guard().check_room(request.remote_addr or "")
    head = views.renderer().page("partials/doctor_lines.html")
    said = [_("Line {n} of {all}", n=number, all=LINES) for number in range(1, LINES + 1)]
    body = _said_slowly(guard(), request.remote_addr or "", head, said)
    response = Response(body, headers={**base.HEADERS, "Content-Type": TYPES["html"]})
    response.timeout = None
    return response


async def _said_slowly(
    keeper: Guard, address: str, head: str, said: list[str]
) -> AsyncGenerator[bytes]:
    with keeper.staying(address):
        yield head.encode()
        for line in said:
            yield (Markup("<p>{}</p>\n").format(line)).encode()
            await asyncio.sleep(1)
