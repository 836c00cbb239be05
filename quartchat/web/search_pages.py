"""The page of search: a form, and what it found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.chat import people, rooms, search
from quartchat.errors import ChatError, Invalid, UserNotFound
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.api_search import asked

blueprint = Blueprint("search_pages", __name__)
blueprint.after_request(views.keep_login)
FIELDS = ("q", "c", "from", "since", "until")


@blueprint.get("/search")
async def find() -> Response:
    who = await views.viewer()
    typed = {name: request.args.get(name, "").strip() for name in FIELDS}
    typed["c"] = typed["c"] or request.args.get("chat_id", "")
    found, error = None, None
    if any(typed[name] for name in FIELDS if name != "c") or request.args.get("before"):
        try:
            found = await _found(who, typed["from"])
        except (Invalid, UserNotFound) as refusal:
            error = refusal
    return await _page(who, typed, found, error)


async def _found(who: Caller, author: str) -> dict[str, Any]:
    """As `search.find`; the author is given by name."""
    query, core = asked(), base.services().core
    query = replace(query, chat_id=query.chat_id or request.args.get("c") or None)
    base.services().commands.check_rate(who.user_id)
    if author:
        (author_id,) = await people.ids_of(core, [author], "from")
        query = replace(query, sender_id=author_id)
    return await search.find(core, who.user_id, query)


async def _page(
    who: Caller, typed: dict[str, str], found: dict[str, Any] | None, error: ChatError | None
) -> Response:
    mine = await rooms.my_chats(base.services().core, who.user_id)
    kept = {name: value for name, value in typed.items() if value}
    chats = [(chat["chat_id"], chat["title"]) for chat in mine["chats"]]
    return await views.page(
        "search.html",
        me=await views.person(who),
        status=error.status if error else 200,
        values=typed,
        errors=views.form_errors(error),
        chats=chats,
        found=found,
        here="/search?" + urlencode(kept),
        is_first="before" not in request.args,
    )
