"""Invitations by link."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support.readers import KINDS, Refused, Transport
from support.server import Person, Server

from quartchat.chat import invites

EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)


async def refused(call: Any) -> tuple[int, str | None, str | None]:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.status, caught.value.code, caught.value.problem.get("field")


async def invite(who: Person, chat: str, **fields: Any) -> str:
    return (await who.api("POST", f"/chats/{chat}/invites", **fields))["invite_id"]


async def accept(who: Person, invite_id: str) -> Any:
    return await who.api("POST", f"/invites/{invite_id}")


async def listed(who: Person, chat: str) -> list[Any]:
    return (await who.api("GET", f"/chats/{chat}/invites"))["invites"]


async def test_an_invitation_is_made_with_an_end_and_listed(server: Server) -> None:
    ada = await server.user("Ada")
    chat = await ada.group()
    made = await ada.request("POST", f"/api/chats/{chat}/invites", json={"max_uses": 3})
    assert made.status_code == 201
    shown = made.json()
    assert len(shown["invite_id"]) == 22
    assert shown == {
        "invite_id": shown["invite_id"],
        "chat_id": chat,
        "url": f"/invite/{shown['invite_id']}",
        "expires_at": shown["expires_at"],
        "max_uses": 3,
        "uses": 0,
        "created_by": ada.user_id,
    }
    assert shown["expires_at"].endswith("Z")
    assert await listed(ada, chat) == [{**shown, "maker_name": "Ada"}]


async def test_the_same_client_id_makes_no_second_invitation(server: Server) -> None:
    ada, ben = await server.users(2)
    chat, other = await ada.group(ben), await ada.group()
    await ada.api("PATCH", f"/chats/{chat}/members/{ben.user_id}", role="admin")
    first, again = [
        await ada.api("POST", f"/chats/{chat}/invites", max_uses=3, client_id="once")
        for _ in range(2)
    ]
    assert first == again
    assert len(await listed(ada, chat)) == 1
    others = [
        await invite(ada, other, client_id="once"),
        await invite(ben, chat, client_id="once"),
        await invite(ada, chat, client_id="twice"),
        await invite(ada, chat),
        await invite(ada, chat),
    ]
    assert len({first["invite_id"], *others}) == 6
    long = invite(ada, chat, client_id="x" * 65)
    assert await refused(long) == (422, "invalid", "client_id")


async def test_the_id_of_an_invitation_cannot_be_told_by_who_knows_all_it_is_made_of(
    start: Callable[..., Awaitable[Server]],
) -> None:
    one, other = [(await start()).services.core for _ in range(2)]
    parts = ("invite", "ada", "chat", "once")
    assert one.id_of(*parts) == one.id_of(*parts) != other.id_of(*parts)
    assert one.id_of("a", "bc") != one.id_of("ab", "c")


@EACH_KIND
async def test_who_comes_by_a_link_is_in_at_once_and_came_by_themselves(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group()
    invite_id = await invite(ada, chat)
    inside, coming = await ada.live(transport), await ben.live(transport)
    ack = await accept(ben, invite_id)
    assert ack["chat_id"] == chat
    for reader in (inside, coming):
        joined = await reader.one("user_joined")
        assert joined["id"] == ack["event_id"]
        assert joined["data"] == {
            "user_id": ben.user_id,
            "chat_id": chat,
            "name": ben.name,
            "by": ben.user_id,
            "timestamp": joined["data"]["timestamp"],
        }
        assert invite_id not in str(inside.seen)
    await coming.until_id((await ada.say(chat))["event_id"])
    assert (await listed(ada, chat))[0]["uses"] == 1


async def test_who_is_in_already_uses_nothing_up(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    invite_id = await invite(ada, chat, max_uses=1)
    assert await accept(ben, invite_id) == {"chat_id": chat, "event_id": None}
    assert (await listed(ada, chat))[0]["uses"] == 0


async def test_the_preview_shows_the_chat_and_no_names_but_the_inviters(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben, title="Tea")
    await ada.api("PATCH", f"/chats/{chat}", description="Green")
    invite_id = await invite(ada, chat)
    shown = await eve.api("GET", f"/invites/{invite_id}")
    assert shown == {
        "invite_id": invite_id,
        "chat": {
            "chat_id": chat,
            "title": "Tea",
            "description": "Green",
            "picture": None,
            "member_count": 2,
        },
        "invited_by": {"user_id": ada.user_id, "name": ada.name},
        "expires_at": shown["expires_at"],
        "is_member": False,
    }
    assert (await ben.api("GET", f"/invites/{invite_id}"))["is_member"]
    anybody = await server.client.get(f"{server.url}/api/invites/{invite_id}")
    assert anybody.status_code == 401


async def test_an_invitation_that_expired_or_never_was_says_so(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group()
    invite_id = await invite(ada, chat, expires_in=300)
    server.move_clock(299)
    assert (await ben.api("GET", f"/invites/{invite_id}"))["chat"]["chat_id"] == chat
    server.move_clock(1)
    for way in ("GET", "POST"):
        gone = ben.api(way, f"/invites/{invite_id}")
        assert await refused(gone) == (410, "invite_expired", None)
        none = ben.api(way, "/invites/AAAAAAAAAAAAAAAAAAAAAA")
        assert await refused(none) == (404, "invite_not_found", None)
    assert await listed(ada, chat) == []


async def test_an_invitation_that_was_ended_lets_nobody_in(server: Server) -> None:
    ada, ben = await server.users(2)
    chat, other = await ada.group(), await ada.group()
    invite_id = await invite(ada, chat)
    elsewhere = ada.api("DELETE", f"/chats/{other}/invites/{invite_id}")
    assert await refused(elsewhere) == (404, "invite_not_found", None)
    await ada.api("DELETE", f"/chats/{chat}/invites/{invite_id}")
    assert await refused(accept(ben, invite_id)) == (404, "invite_not_found", None)
    again = ada.api("DELETE", f"/chats/{chat}/invites/{invite_id}")
    assert await refused(again) == (404, "invite_not_found", None)


async def test_of_two_at_once_on_the_last_use_one_comes_in(server: Server) -> None:
    ada, *others = await server.users(6)
    chat = await ada.group()
    invite_id = await invite(ada, chat, max_uses=2)
    coming = (accept(one, invite_id) for one in others)
    outcomes = await asyncio.gather(*coming, return_exceptions=True)
    turned_away = [one for one in outcomes if isinstance(one, Refused)]
    assert [(one.status, one.code) for one in turned_away] == [(410, "invite_expired")] * 3
    assert "used up" in turned_away[0].problem["detail"]
    members = await ada.api("GET", f"/chats/{chat}/members")
    assert members["member_count"] == 3
    assert await listed(ada, chat) == []


async def test_one_person_on_two_devices_at_once_uses_one_use(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group()
    invite_id = await invite(ada, chat, max_uses=2)
    acks = await asyncio.gather(accept(ben, invite_id), accept(ben, invite_id))
    assert sorted(ack["event_id"] is None for ack in acks) == [False, True]
    assert (await listed(ada, chat))[0]["uses"] == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"expires_in": 299}, "expires_in"),
        ({"expires_in": 31_536_001}, "expires_in"),
        ({"expires_in": 10**30}, "expires_in"),
        ({"expires_in": "soon"}, "expires_in"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": 10_001}, "max_uses"),
    ],
)
async def test_bounds_of_an_invitation_are_refused_at_their_field(
    server: Server, fields: dict[str, Any], field: str
) -> None:
    ada = await server.user()
    chat = await ada.group()
    assert await refused(invite(ada, chat, **fields)) == (422, "invalid", field)


async def test_invitations_are_made_seen_and_ended_by_owners_and_admins(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat, direct = await ada.group(ben), await ada.direct(ben)
    invite_id = await invite(ada, chat)
    for who, code in ((ben, "forbidden"), (eve, "not_a_member")):
        for call in (
            invite(who, chat),
            listed(who, chat),
            who.api("DELETE", f"/chats/{chat}/invites/{invite_id}"),
        ):
            assert await refused(call) == (403, code, None)
    assert await refused(invite(ada, direct)) == (409, "conflict", None)
    assert await refused(invite(ada, "none")) == (404, "chat_not_found", None)
    await ada.api("PATCH", f"/chats/{chat}/members/{ben.user_id}", role="admin")
    assert await invite(ben, chat)


async def test_a_chat_has_at_most_fifty_live_ones(server: Server) -> None:
    ada = await server.user()
    chat = await ada.group()
    made = [await invite(ada, chat, expires_in=300) for _ in range(invites.MOST_LIVE)]
    assert await refused(invite(ada, chat)) == (409, "conflict", None)
    await ada.api("DELETE", f"/chats/{chat}/invites/{made[0]}")
    assert await invite(ada, chat, expires_in=300)
    server.move_clock(300)
    assert await invite(ada, chat)


async def test_what_somebody_made_who_was_removed_leads_nowhere(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben)
    await ada.api("PATCH", f"/chats/{chat}/members/{ben.user_id}", role="admin")
    theirs, mine = await invite(ben, chat), await invite(ada, chat)
    await ada.remove(chat, ben)
    assert await refused(accept(ben, theirs)) == (404, "invite_not_found", None)
    assert await refused(accept(eve, theirs)) == (404, "invite_not_found", None)
    assert (await accept(eve, mine))["event_id"]


async def test_what_an_admin_made_ends_when_they_are_one_no_more(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben)
    path = f"/chats/{chat}/members/{ben.user_id}"
    await ada.api("PATCH", path, role="admin")
    theirs, mine = await invite(ben, chat), await invite(ada, chat)
    await ada.api("PATCH", path, role="member")
    assert await refused(accept(eve, theirs)) == (404, "invite_not_found", None)
    await ada.api("PATCH", path, role="owner")
    assert (await accept(eve, mine))["event_id"]


async def test_who_is_banned_comes_in_by_no_link(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group()
    invite_id = await invite(ada, chat)
    await ada.api("POST", f"/chats/{chat}/bans", user_id=ben.user_id)
    for way in ("GET", "POST"):
        assert await refused(ben.api(way, f"/invites/{invite_id}")) == (403, "banned", None)
    assert (await listed(ada, chat))[0]["uses"] == 0
    await ada.api("DELETE", f"/chats/{chat}/bans/{ben.user_id}")
    assert (await accept(ben, invite_id))["event_id"]
