"""Reactions and pins: who may, once each, and what others hear of it."""

from __future__ import annotations

from typing import Any

import pytest
from support.readers import ALL, Refused, Transport
from support.server import Person, Server

EVERY = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)


async def react(person: Person, message: dict[str, Any], emoji: str, is_on: bool = True) -> Any:
    path = f"/messages/{message['message_id']}/reactions"
    return await person.api("POST", path, emoji=emoji, is_on=is_on)


@EVERY
async def test_a_reaction_reaches_every_member_with_what_stands_there_now(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    sent = await ada.say(chat)
    reader = await ben.live(transport)
    await react(ada, sent, "👍")
    event = await reader.one("message_reacted")
    assert event["data"]["reactions"] == [{"emoji": "👍", "count": 1, "user_ids": [ada.user_id]}]
    assert (event["data"]["emoji"], event["data"]["is_on"]) == ("👍", True)
    await react(ben, sent, "👍")
    await react(ben, sent, "❤️")
    [shown] = await ada.history(chat)
    assert [(r["emoji"], r["count"]) for r in shown["reactions"]] == [("👍", 2), ("❤️", 1)]


async def test_a_reaction_counts_once_and_can_be_taken_back(server: Server) -> None:
    ada = await server.user()
    chat = await ada.group()
    sent = await ada.say(chat)
    await react(ada, sent, "👍")
    head = await server.head()
    assert (await react(ada, sent, "👍"))["event_id"] is None
    assert await server.head() == head
    assert (await react(ada, sent, "👍", False))["event_id"] is not None
    assert (await react(ada, sent, "👍", False))["event_id"] is None
    assert "reactions" not in (await ada.history(chat))[0]


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "👨‍👩‍👧‍👦", "🇺🇦", "❤️", "1️⃣", "☕"])
async def test_emoji_of_every_make_are_taken(server: Server, emoji: str) -> None:
    ada = await server.user()
    sent = await ada.say(await ada.group())
    assert (await react(ada, sent, emoji))["event_id"] is not None


@pytest.mark.parametrize("emoji", ["", "a", "<b>", "👍 ok", " ", "1", "👍" * 13, "\u200d", "ok👍"])
async def test_what_is_no_emoji_is_refused(server: Server, emoji: str) -> None:
    ada = await server.user()
    sent = await ada.say(await ada.group())
    with pytest.raises(Refused) as refused:
        await react(ada, sent, emoji)
    assert (refused.value.code, refused.value.problem["field"]) == ("invalid", "emoji")


async def test_there_are_at_most_twenty_different_reactions_on_a_message(server: Server) -> None:
    ada = await server.user()
    sent = await ada.say(await ada.group())
    for number in range(20):
        await react(ada, sent, chr(0x1F600 + number))
    with pytest.raises(Refused) as refused:
        await react(ada, sent, "☕")
    assert refused.value.code == "invalid"


async def test_pinning_is_told_and_listed_the_newest_pin_first(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    one, two = await ada.say(chat, "one"), await ben.say(chat, "two")
    reader = await ben.live("ws")
    await ada.api("POST", f"/messages/{one['message_id']}/pin")
    event = await reader.one("message_pinned")
    assert (event["data"]["is_pinned"], event["data"]["excerpt"]) == (True, "one")
    server.move_clock(1)
    await ada.api("POST", f"/messages/{two['message_id']}/pin")
    pinned = (await ben.api("GET", f"/chats/{chat}/pins"))["messages"]
    assert [message["content"] for message in pinned] == ["two", "one"]
    assert all(message["pinned"] for message in pinned)
    await ada.api("DELETE", f"/messages/{two['message_id']}/pin")
    pinned = (await ben.api("GET", f"/chats/{chat}/pins"))["messages"]
    assert [message["content"] for message in pinned] == ["one"]


async def test_members_of_a_group_may_not_pin_and_both_of_a_direct_chat_may(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    sent = await ben.say(await ada.group(ben))
    with pytest.raises(Refused) as refused:
        await ben.api("POST", f"/messages/{sent['message_id']}/pin")
    assert refused.value.code == "forbidden"
    sent = await ada.say(await ada.direct(ben))
    assert (await ben.api("POST", f"/messages/{sent['message_id']}/pin"))["event_id"]


async def test_marks_need_a_message_that_one_may_read(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group()
    before = await ada.say(chat)
    await ada.add(chat, ben)
    for person in (ben, eve):  # who joined later may not read what was before; a stranger nothing
        with pytest.raises(Refused) as refused:
            await react(person, before, "👍")
        assert refused.value.code == "message_not_found"


async def test_a_deleted_message_carries_no_marks_and_takes_none(server: Server) -> None:
    ada = await server.user()
    chat = await ada.group()
    sent = await ada.say(chat)
    await react(ada, sent, "👍")
    await ada.api("POST", f"/messages/{sent['message_id']}/pin")
    await ada.api("DELETE", f"/messages/{sent['message_id']}")
    with pytest.raises(Refused) as refused:
        await react(ada, sent, "👍")
    assert refused.value.code == "deleted"
    [shown] = await ada.history(chat)
    assert "reactions" not in shown
    assert (await ada.api("GET", f"/chats/{chat}/pins"))["messages"] == []
