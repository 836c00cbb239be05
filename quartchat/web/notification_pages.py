"""The pages of notifications: the list, the way to what one is about, and their live parts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from quart import Blueprint, Response, request

from quartchat.chat import bell, notices
from quartchat.errors import NotificationNotFound
from quartchat.protocol import read_cursor
from quartchat.store import notifications
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import safe_next, see
from quartchat.web.locale import _

blueprint = Blueprint("notification_pages", __name__)
blueprint.after_request(views.keep_login)
PAGE = 40


@blueprint.get("/notifications")
async def listed() -> Response:
    who = await views.viewer()
    unread = request.args.get("unread") == "1"
    span = bell.Span(read_cursor(request.args.get("before")), PAGE, unread)
    found = await bell.page(base.services().core, who.user_id, span)
    return await views.page(
        "notifications.html",
        me=await views.person(who),
        notifications=[said(one) for one in found["notifications"]],
        only_unread=unread,
        is_first=span.before is None,
        before=found["before"] if found["has_more"] else None,
        cursor=found["cursor"],
    )


def said(data: dict[str, Any]) -> dict[str, Any]:
    """`notification.data` with its sentence in the reader's language, names set off."""
    template, params = notices.wording(data)
    shown = {name: Markup("<bdi>{}</bdi>").format(text) for name, text in params.items()}
    if text := params.get("excerpt"):
        shown["excerpt"] = Markup('<span class="said" dir="auto">{}</span>').format(text)
    return {**data, "sentence": Markup(_(template)).format(**shown)}  # noqa: S704  (a catalogue's)


@blueprint.get("/notifications/bell")
async def bell_now() -> Response:
    who = await views.viewer()
    return await views.page("partials/bell.html", me=await views.person(who))


@blueprint.get("/notifications/<notification_id>/toast")
async def toast(notification_id: str) -> Response:
    """One notification as the list shows it; it stays unread."""
    who = await views.viewer()
    if not (notification_id.isascii() and notification_id.isdecimal()):
        raise NotificationNotFound
    number = int(notification_id[:16])
    row = await base.services().database.read(
        lambda c: notifications.get(c.execute, who.user_id, number)
    )
    if row is None:
        raise NotificationNotFound
    one = said(notices.of_row(row))
    return await views.page(
        "partials/notification.html", me=await views.person(who), one=one, back=""
    )


@blueprint.get("/notifications/<notification_id>")
async def follow(notification_id: str) -> Response:
    """To the place that it is about; by this it is read."""
    who = await views.viewer()
    found = await bell.open_one(base.services().core, who.user_id, notification_id)
    return see(safe_next(found["url"]))


@blueprint.post("/notifications/read")
async def mark_read() -> Response:
    """The one named by `id`, or all."""
    form = await request.form
    who, core = await views.changer(), base.services().core
    if "id" in form:
        await bell.read_some(core, who.user_id, [form["id"]])
    else:
        await bell.read_all(core, who.user_id)
    return see(safe_next(form.get("next") or "/notifications"))
