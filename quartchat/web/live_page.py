"""The newest messages of a chat as a page of their own, up to its open end."""

from __future__ import annotations

import contextlib
from typing import Any

from quart import request

from quartchat.access import Caller
from quartchat.chat import receipts, rooms
from quartchat.delivery.subscriber import Wish
from quartchat.errors import ChatError, NotAMember
from quartchat.protocol import MarkRead
from quartchat.services import Services
from quartchat.transports import base
from quartchat.web import places, timeline, views
from quartchat.web.places import Place
from quartchat.web.timeline import Days, Reader


async def begin(
    who: Caller,
    chat_id: str,
    wanted: Wish,
    days: Days,
    read_upto: int | None = None,
    **shown: Any,
) -> tuple[str, int]:
    """The page's first piece, and the cursor after it: with a cursor in `wanted` no messages,
    else the newest ones, with a line at `read_upto` (by itself: where the reader is).
    `shown`: for `live.html`. Raises NotAMember."""
    view = await rooms.one(base.services().core, who.user_id, chat_id)
    if view is None:
        raise NotAMember
    items, cursor = await _messages(who, view, wanted, days, read_upto)
    if view["unread"] and items:
        await mark_read(base.services(), who, chat_id, cursor)
    context: dict[str, Any] = {"me": await views.person(who), "chat": view, "items": items}
    context |= {"nonce": views.nonce(), "path": request.path, **shown}
    context["has_messages"] = not items or view["last_message"] is not None
    return views.renderer().page("live.html", **context), cursor


async def _messages(
    who: Caller, view: dict[str, Any], wanted: Wish, days: Days, upto: int | None
) -> tuple[list[Any], int]:
    if wanted.cursor is not None:
        return [], wanted.cursor
    if upto is None and view["unread"]:
        upto = view["read_upto"]
    part = await base.services().database.read(
        lambda c: places.read(c, who.user_id, view["chat_id"], Place())
    )
    return timeline.lines(part, Reader(who.user_id, upto), days), part.cursor


async def mark_read(shared: Services, who: Caller, chat_id: str, upto: int) -> None:
    """What a reader without JavaScript was shown, they have read."""
    with contextlib.suppress(ChatError):  # removed meanwhile, or the store is full
        await receipts.mark_read(shared.core, who.user_id, MarkRead(chat_id, upto))


def piece(name: str, **context: Any) -> str:
    return views.renderer().page(f"partials/{name}.html", **context)
