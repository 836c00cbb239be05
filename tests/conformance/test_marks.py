"""Reactions and pins: who may, once each, and what others hear of it."""

from __future__ import annotations

from typing import Any

import pytest
from support.readers import ALL, Refused, Transport
from support.server import Person, Server

from quartchat.store import marks, people
from quartchat.web.reactions import PALETTE

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


EMOJI = [
    "👍",
    "👍🏽",
    "👨‍👩‍👧‍👦",
    "🇺🇦",
    "❤️",
    "1️⃣",
    "☕",
    "‼️",
    "↔️",
    "◾",
    "⤴️",
    "☝🏽",
    "🏃🏽‍♀️",
    "👁️‍🗨️",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    *PALETTE,
]
NO_EMOJI = ["", "a", "<b>", "👍 ok", " ", "1", "👍" * 13, "\u200d", "ok👍"]
NO_EMOJI += ["^", "`", "😀😀😀😀", "🏽", "🇺", "❤", "©", "👍\u200d", "1\u200d👍", "👍\n"]


@pytest.mark.parametrize("emoji", EMOJI)
async def test_emoji_of_every_make_are_taken(server: Server, emoji: str) -> None:
    ada = await server.user()
    sent = await ada.say(await ada.group())
    assert (await react(ada, sent, emoji))["event_id"] is not None


@pytest.mark.parametrize("emoji", NO_EMOJI)
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


async def crowd(server: Server, message: dict[str, Any], number: int, emoji: str) -> list[str]:
    """So many have reacted with the same, one after the other."""
    ids = [f"fan{i:05}" for i in range(number)]

    async def work(tx: Any) -> None:
        for count, id_ in enumerate(reversed(ids)):
            row = {"id": id_, "name": id_, "email": None, "password_hash": None}
            people.add(tx, {**row, "is_admin": False, "created_at": tx.now})
            row = {"message_id": int(message["message_id"]), "emoji": emoji, "user_id": id_}
            tx.run(marks.INSERT_REACTION, {**row, "reacted_at": tx.now - number + count})

    await server.services.writer.do(work)
    return ids[::-1]


async def shown(person: Person, message: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await person.api("GET", f"/messages/{message['message_id']}")
    return answer.get("reactions", [])


async def test_of_many_who_reacted_with_the_same_the_first_are_named_and_all_counted(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    sent = await ada.say(chat)
    fans = await crowd(server, sent, 30, "👍")
    first = {"emoji": "👍", "count": 30, "user_ids": fans[: marks.SHOWN_BY]}
    assert await shown(ada, sent) == [first]
    reader = await ben.live("ws")
    await react(ada, sent, "👍")
    assert (await reader.one("message_reacted"))["data"]["reactions"] == [first | {"count": 31}]
    await react(ada, sent, "☕")
    after = (await reader.one("message_reacted"))["data"]["reactions"]
    assert after == await shown(ben, sent)
    assert after == [first | {"count": 31}, {"emoji": "☕", "count": 1, "user_ids": [ada.user_id]}]


async def test_who_reacted_after_the_first_is_named_in_what_they_read_themselves(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    sent = await ada.say(chat)
    fans = await crowd(server, sent, 30, "👍")
    await react(ada, sent, "👍")
    [[hers], [his]] = [await shown(person, sent) for person in (ada, ben)]
    assert hers["user_ids"] == [*fans[: marks.SHOWN_BY], ada.user_id]
    assert his["user_ids"] == fans[: marks.SHOWN_BY]
    assert (await ada.history(chat))[-1]["reactions"] == [hers]


async def test_when_one_of_the_first_takes_theirs_back_the_next_is_named(server: Server) -> None:
    ada = await server.user()
    sent = await ada.say(await ada.group())
    await react(ada, sent, "👍")
    server.move_clock(60)
    fans = await crowd(server, sent, 30, "👍")
    reader = await ada.live("ws")
    await react(ada, sent, "👍", False)
    want = [{"emoji": "👍", "count": 30, "user_ids": fans[: marks.SHOWN_BY]}]
    assert (await reader.one("message_reacted"))["data"]["reactions"] == want
    assert await shown(ada, sent) == want


async def test_each_emoji_stands_at_the_place_of_its_first_also_when_that_one_has_gone(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    sent = await ada.say(await ada.group(ben))
    for person, emoji in ((ada, "👍"), (ada, "☕"), (ben, "👍")):
        server.move_clock(1)
        await react(person, sent, emoji)
    reader = await ben.live("ws")
    await react(ada, sent, "👍", False)
    told = (await reader.one("message_reacted"))["data"]["reactions"]
    assert [one["emoji"] for one in told] == ["☕", "👍"]
    assert told == await shown(ben, sent)
