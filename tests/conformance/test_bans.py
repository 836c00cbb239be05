"""Bans: out at once, and not in again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.readers import ALL, Refused, Transport
from support.server import Person, Server

EVERY = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)


async def refused(call: Any) -> tuple[int, str | None, str | None]:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.status, caught.value.code, caught.value.problem.get("field")


async def ban(who: Person, chat: str, other: Person) -> Any:
    return await who.api("POST", f"/chats/{chat}/bans", user_id=other.user_id)


async def unban(who: Person, chat: str, other: Person) -> Any:
    return await who.api("DELETE", f"/chats/{chat}/bans/{other.user_id}")


async def make_admin(owner: Person, chat: str, other: Person) -> None:
    await owner.api("PATCH", f"/chats/{chat}/members/{other.user_id}", role="admin")


@EVERY
async def test_who_is_banned_is_told_so_and_gets_nothing_more_on_an_open_connection(
    server: Server, transport: Transport
) -> None:
    ada, ben, eve = await server.users(3)
    chat, fence = await ada.group(ben, eve, public=True), await ada.direct(ben)
    out, staying = await ben.live(transport), await eve.live(transport)
    ack = await ban(ada, chat, ben)
    await ada.api("POST", f"/chats/{chat}/typing", is_typing=True)
    after = await ada.say_many(chat, 2)
    events = await out.until_id((await ada.say(fence))["event_id"])
    told = [event for event in events if event["data"].get("chat_id") == chat]
    assert [event["type"] for event in told] == ["user_left"]
    assert (told[0]["data"]["user_id"], told[0]["data"]["by"]) == (ben.user_id, ada.user_id)
    await staying.until_id(after[-1])
    assert staying.durable[0]["id"] == ack["event_id"]
    assert [event["type"] for event in staying.durable] == ["user_left", *["new_message"] * 2]


async def test_who_is_banned_can_neither_join_nor_be_added_nor_read(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben, public=True)
    await ban(ada, chat, ben)
    assert await refused(ben.api("POST", f"/chats/{chat}/members/me")) == (403, "banned", None)
    assert await refused(ada.add(chat, ben)) == (403, "banned", "user_id")
    for path in (f"/chats/{chat}/messages", f"/chats/{chat}/members", f"/chats/{chat}/pins"):
        assert await refused(ben.api("GET", path)) == (403, "banned", None)
    found = ben.api("GET", f"/search?q=anything&chat_id={chat}")
    assert await refused(found) == (403, "banned", None)
    assert await refused(ben.say(chat)) == (403, "not_a_member", None)
    assert (await ben.api("GET", "/rooms"))["rooms"] == []
    assert (await ada.api("GET", f"/chats/{chat}/members"))["member_count"] == 1


async def test_somebody_who_is_no_member_is_banned_without_an_event(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(public=True)
    reader = await ada.live()
    assert await ban(ada, chat, ben) == {
        "chat_id": chat,
        "user_id": ben.user_id,
        "event_id": None,
    }
    await reader.until_id((await ada.say(chat))["event_id"])
    assert [event["type"] for event in reader.durable] == ["new_message"]
    assert await refused(ben.api("POST", f"/chats/{chat}/members/me")) == (403, "banned", None)


async def test_whose_ban_is_lifted_may_come_again_and_is_no_member_by_it(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben, public=True)
    await ban(ada, chat, ben)
    assert (await unban(ada, chat, ben))["event_id"] is None
    assert (await ada.api("GET", f"/chats/{chat}/members"))["member_count"] == 1
    assert (await ben.api("POST", f"/chats/{chat}/members/me"))["event_id"]
    assert (await unban(ada, chat, ben))["event_id"] is None


async def test_the_bans_are_listed_by_pages_the_newest_first(server: Server) -> None:
    ada, *others = await server.users(6)
    chat = await ada.group(*others)
    for other in others:
        await ban(ada, chat, other)
        server.move_clock(1)
    await ban(ada, chat, others[0])
    page = await ada.api("GET", f"/chats/{chat}/bans?limit=3")
    rest = await ada.api("GET", f"/chats/{chat}/bans?limit=3&before={page['before']}")
    assert (page["has_more"], rest["has_more"], rest["before"]) == (True, False, None)
    found = page["bans"] + rest["bans"]
    assert [one["user_id"] for one in found] == [one.user_id for one in reversed(others)]
    assert found[0] == {
        "user_id": others[-1].user_id,
        "name": others[-1].name,
        "banned_by": ada.user_id,
        "timestamp": found[0]["timestamp"],
    }


async def test_owners_ban_all_others_and_admins_members(server: Server) -> None:
    ada, ben, eve, dan = await server.users(4)
    chat = await ada.group(ben, eve, dan)
    await make_admin(ada, chat, ben)
    await make_admin(ada, chat, eve)
    assert await refused(ban(ben, chat, eve)) == (403, "forbidden", None)
    assert await refused(ban(ben, chat, ada)) == (403, "forbidden", None)
    assert await refused(ban(dan, chat, ben)) == (403, "forbidden", None)
    assert (await ban(ben, chat, dan))["event_id"]
    assert (await ban(ada, chat, eve))["event_id"]
    assert (await ada.api("GET", f"/chats/{chat}/members"))["member_count"] == 2


async def test_bans_are_refused_where_they_make_no_sense(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat, direct = await ada.group(ben), await ada.direct(ben)
    assert await refused(ban(ada, chat, ada)) == (422, "invalid", "user_id")
    assert await refused(ban(ada, direct, ben)) == (409, "conflict", None)
    nobody = ada.api("POST", f"/chats/{chat}/bans", user_id="nobody")
    assert await refused(nobody) == (404, "user_not_found", "user_id")
    assert await refused(ada.api("POST", f"/chats/{chat}/bans")) == (422, "invalid", "user_id")
    for call in (ban(eve, chat, ben), unban(eve, chat, ben), eve.api("GET", f"/chats/{chat}/bans")):
        assert await refused(call) == (403, "not_a_member", None)
    for call in (unban(ben, chat, eve), ben.api("GET", f"/chats/{chat}/bans")):
        assert await refused(call) == (403, "forbidden", None)


async def test_two_bans_of_one_person_at_once_remove_them_once(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben, eve)
    await make_admin(ada, chat, ben)
    reader = await ada.live()
    acks = await asyncio.gather(ban(ada, chat, eve), ban(ben, chat, eve))
    assert sorted(ack["event_id"] is None for ack in acks) == [False, True]
    await reader.until_id((await ada.say(chat))["event_id"])
    assert reader.types().count("user_left") == 1
    assert len((await ada.api("GET", f"/chats/{chat}/bans"))["bans"]) == 1


async def test_joining_and_being_banned_at_once_never_ends_with_a_banned_member(
    server: Server,
) -> None:
    ada, *others = await server.users(9)
    chat = await ada.group(public=True)
    joins = (one.api("POST", f"/chats/{chat}/members/me") for one in others)
    bans = (ban(ada, chat, one) for one in others)
    await asyncio.gather(*joins, *bans, return_exceptions=True)
    assert (await ada.api("GET", f"/chats/{chat}/members"))["member_count"] == 1
