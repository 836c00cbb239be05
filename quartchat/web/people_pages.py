"""The pages of people: finding them, one of them, friends and follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.addresses import chats_url, segment
from quartchat.chat import follows, friends, profiles, rooms
from quartchat.chat.core import Core
from quartchat.errors import ChatError, NotFound
from quartchat.protocol import CreateChat
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import safe_next, see

blueprint = Blueprint("people_pages", __name__)
blueprint.after_request(views.keep_login)
Verb = Callable[[Core, str, str], Awaitable[dict[str, Any]]]
VERBS: dict[str, Verb] = {
    "ask": friends.ask,
    "accept": friends.accept,
    "decline": friends.decline,
    "end": friends.end,
    "follow": follows.follow,
    "unfollow": follows.unfollow,
}


@blueprint.get("/people")
async def find() -> Response:
    who = await views.viewer()
    core, wanted = base.services().core, request.args.get("q", "")
    found = await profiles.search(core, who.user_id, wanted)
    mine = await friends.mine(core, who.user_id)
    return await views.page(
        "people.html",
        me=await views.person(who),
        q=wanted,
        people=[_with_presence(one) for one in found],
        most=profiles.MOST_FOUND,
        asking=len(mine["asking"]),
    )


@blueprint.get("/friends")
async def friend_list() -> Response:
    who = await views.viewer()
    core = base.services().core
    mine = await friends.mine(core, who.user_id)
    mine["friends"] = [_with_presence(one) for one in mine["friends"]]
    known = await follows.mine(core, who.user_id)
    return await views.page("friends.html", me=await views.person(who), **mine, **known)


def _with_presence(person: dict[str, Any]) -> dict[str, Any]:
    return {**person, "presence": base.services().presence.state(person["user_id"])}


@blueprint.get("/people/<path:user_id>")
async def profile(user_id: str) -> Response:
    return await _profile_page(await views.viewer(), user_id)


async def _profile_page(who: Caller, user_id: str, error: ChatError | None = None) -> Response:
    shared = base.services()
    shown = await profiles.profile(shared.core, who.user_id, user_id, shared.presence.state)
    return await views.page(
        "person.html",
        me=await views.person(who),
        status=error.status if error else 200,
        person=shown,
        errors=_as_whole(error),
    )


def _as_whole(error: ChatError | None) -> dict[str, str]:
    """The page has no fields: what a refusal says stands above its buttons."""
    texts = list(views.form_errors(error).values())
    return {"": texts[0]} if texts else {}


@blueprint.get("/people/<path:user_id>/end")
async def ask_to_end(user_id: str) -> Response:
    who, shared = await views.viewer(), base.services()
    shown = await profiles.profile(shared.core, who.user_id, user_id, shared.presence.state)
    return await views.page("end_friendship.html", me=await views.person(who), person=shown)


@blueprint.post("/people/<path:user_id>/message")
async def write_to(user_id: str) -> Response:
    """To the one chat with this person, which is made where there is none yet."""
    who = await views.changer()
    wish = CreateChat("direct", user_id=user_id)
    try:
        chat_id, _new = await rooms.create(base.services().core, who.user_id, wish)
    except ChatError as error:
        return await _profile_page(who, user_id, error)
    return see(chats_url(chat_id) + "#write")


@blueprint.post("/people/<path:user_id>/<verb>")
async def change(user_id: str, verb: str) -> Response:
    """What one is to this person: ask, accept, decline, end, follow, unfollow."""
    if verb not in VERBS:
        raise NotFound
    who = await views.changer()
    try:
        await VERBS[verb](base.services().core, who.user_id, user_id)
    except ChatError as error:
        return await _profile_page(who, user_id, error)
    back = (await request.form).get("next")
    return see(safe_next(back) if back else f"/people/{segment(user_id)}")
