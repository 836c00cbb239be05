"""What one sets for oneself: how pages look, what one is told of, which devices are logged in."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from quartchat.chat import preferences
from quartchat.chat.notices import TYPES
from quartchat.errors import NotFound
from quartchat.events import rfc3339
from quartchat.store import logins
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see
from quartchat.web.locale import _

blueprint = Blueprint("settings_pages", __name__)
blueprint.after_request(views.keep_login)


@blueprint.get("/settings")
async def settings() -> Response:
    who = await views.viewer()
    chosen = await preferences.get(base.services().core, who.user_id)
    notices = {"notify": _("Saved."), "logins": _("The other devices are logged out.")}
    return await views.page(
        "settings.html",
        me=await views.person(who),
        notify=chosen["notify"],
        logins=await _logins(who.user_id, who.identity.session_id),
        notice=notices.get(request.args.get("saved", "")),
    )


async def _logins(user_id: str, mine: str | None) -> list[dict[str, Any]]:
    """{id, used, is_this}, this device first."""
    shared = base.services()
    rows = await shared.database.read(
        lambda c: logins.open_ones(c.execute, user_id, shared.clock())
    )
    found = [
        {"id": row.id, "used": rfc3339(row.rotated_at), "is_this": row.id == mine} for row in rows
    ]
    return sorted(found, key=lambda one: not one["is_this"])


@blueprint.post("/settings/notify")
async def choose_notifications() -> Response:
    form = await request.form
    who = await views.changer()
    wish = {"notify": {type_: bool(form.get(type_)) for type_ in TYPES}}
    await preferences.change(base.services().core, who.user_id, wish)
    return see("/settings?saved=notify#notify")


@blueprint.post("/settings/logins/end")
async def end_logins() -> Response:
    """The one named by `id`, or all but this one."""
    form = await request.form
    who, shared = await views.changer(), base.services()
    if "id" not in form:
        await shared.logins.end_others(who.user_id, who.identity.session_id)
        return see("/settings?saved=logins#logins")
    known = await _logins(who.user_id, who.identity.session_id)
    if form["id"] not in [one["id"] for one in known]:
        raise NotFound
    await shared.logins.end(form["id"])
    return see("/settings?saved=logins#logins")
