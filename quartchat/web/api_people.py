"""The HTTP API of people: oneself, finding others, friends, follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, Response, request

from quartchat.chat import follows, friends, people, preferences, profiles
from quartchat.chat.core import Core
from quartchat.chat.profiles import EditProfile
from quartchat.errors import Invalid, UserNotFound
from quartchat.protocol import shape
from quartchat.transports import base
from quartchat.transports.body import read_fields
from quartchat.web.api import answer, changer, read_limit

blueprint = Blueprint("api_people", __name__, url_prefix="/api")
Verb = Callable[[Core, str, str], Awaitable[dict[str, Any]]]


@blueprint.get("/me")
async def me() -> Response:
    who = await base.caller()
    return answer(await profiles.me(base.services().core, who.user_id))


@blueprint.patch("/me")
async def change_me() -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape(fields, EditProfile, lenient=lenient)
    return answer(await profiles.change(base.services().core, who.user_id, wish))


@blueprint.get("/me/settings")
async def settings() -> Response:
    who = await base.caller()
    return answer(await preferences.get(base.services().core, who.user_id))


@blueprint.patch("/me/settings")
async def change_settings() -> Response:
    fields, _ = await read_fields()
    who = await changer()
    return answer(await preferences.change(base.services().core, who.user_id, fields))


@blueprint.get("/users")
async def find_users() -> Response:
    """One by the exact `name`, or those whose names begin with `q`."""
    who = await base.caller()
    query = request.args
    if name := query.get("name", "").strip():
        row = await people.find(base.services().core, name)
        if row is None:
            raise UserNotFound
        return answer({"users": [profiles.card(row)]})
    if "q" not in query and "chat_id" not in query:
        raise Invalid("Say whom: /api/users?name=… or ?q=…", field="name")
    found = await profiles.search(
        base.services().core,
        who.user_id,
        query.get("q", ""),
        query.get("chat_id"),
        read_limit(query.get("limit")),
    )
    return answer({"users": found})


@blueprint.get("/users/<path:user_id>")
async def profile(user_id: str) -> Response:
    who, shared = await base.caller(), base.services()
    return answer(await profiles.profile(shared.core, who.user_id, user_id, shared.presence.state))


async def _change(verb: Verb, user_id: str) -> Response:
    who = await changer()
    return answer(await verb(base.services().core, who.user_id, user_id))


@blueprint.get("/friends")
async def my_friends() -> Response:
    who = await base.caller()
    return answer(await friends.mine(base.services().core, who.user_id))


@blueprint.post("/friends/<path:user_id>/accept")
async def accept(user_id: str) -> Response:
    return await _change(friends.accept, user_id)


@blueprint.post("/friends/<path:user_id>/decline")
async def decline(user_id: str) -> Response:
    return await _change(friends.decline, user_id)


@blueprint.post("/friends/<path:user_id>")
async def ask(user_id: str) -> Response:
    return await _change(friends.ask, user_id)


@blueprint.delete("/friends/<path:user_id>")
async def end(user_id: str) -> Response:
    return await _change(friends.end, user_id)


@blueprint.get("/follows")
async def my_follows() -> Response:
    who = await base.caller()
    return answer(await follows.mine(base.services().core, who.user_id))


@blueprint.post("/follows/<path:user_id>")
async def follow(user_id: str) -> Response:
    return await _change(follows.follow, user_id)


@blueprint.delete("/follows/<path:user_id>")
async def unfollow(user_id: str) -> Response:
    return await _change(follows.unfollow, user_id)
