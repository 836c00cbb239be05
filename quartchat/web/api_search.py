"""The HTTP API of search."""

from __future__ import annotations

from datetime import date

from quart import Blueprint, Response, request

from quartchat.chat import search
from quartchat.chat.search import PAGE, Query
from quartchat.errors import Invalid
from quartchat.protocol import read_cursor
from quartchat.transports import base
from quartchat.web.api import answer, read_limit

blueprint = Blueprint("api_search", __name__, url_prefix="/api")


@blueprint.get("/search")
async def find() -> Response:
    who = await base.caller()
    base.services().commands.check_rate(who.user_id)  # each may take a while
    return answer(await search.find(base.services().core, who.user_id, asked()))


def asked() -> Query:
    """The query of this request's address. Raises Invalid, BadCursor."""
    given = request.args
    return Query(
        q=given.get("q", ""),
        chat_id=given.get("chat_id") or None,
        sender_id=given.get("sender_id") or None,
        since=read_day(given.get("since"), "since"),
        until=read_day(given.get("until"), "until"),
        before=read_cursor(given.get("before")),
        limit=read_limit(given["limit"]) if given.get("limit") else PAGE,
    )


def read_day(raw: str | None, field: str) -> date | None:
    """YYYY-MM-DD. Raises Invalid."""
    if not raw:
        return None
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        day = None
    if day is None or day.isoformat() != raw:  # weeks are dates, too
        raise Invalid("A day is written like 2026-01-31.", field=field)
    return day
