"""What was read: told once per read, and right on every device."""

from __future__ import annotations

from typing import Any

import pytest
from support.readers import ALL, KINDS, Refused, Transport
from support.server import Person, Server

from quartchat.store import people, rooms

EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)


async def fill(server: Server, chat: str, number: int) -> None:
    """So many more members."""

    async def work(tx: Any) -> None:
        for i in range(number):
            row = {"id": f"extra{i}", "name": f"extra{i}", "email": None, "password_hash": None}
            people.add(tx, {**row, "is_admin": False, "created_at": tx.now})
            rooms.add_member(tx, chat, f"extra{i}", "member", tx.head)

    await server.services.writer.do(work)


async def read(person: Person, chat: str, upto: int | None = None) -> int:
    fields = {} if upto is None else {"event_id": upto}
    path = f"/api/chats/{chat}/read"
    return (await person.request("POST", path, json=fields)).json()["event_id"]


async def unread(person: Person, chat: str) -> int:
    chats = (await person.api("GET", "/chats"))["chats"]
    return next(one["unread"] for one in chats if one["chat_id"] == chat)


async def test_a_read_is_told_once_and_only_if_there_was_something_unread(server: Server) -> None:
    ada, ben = await server.users(2)
    chat, other = await ada.direct(ben), await ada.group(ben)
    sent = await ada.say_many(chat, 3)
    start = await server.count_events()
    assert await read(ben, chat, sent[2]) == sent[2]
    assert await server.count_events() == start + 2  # and that the notification is read
    await ada.say(other)
    start = await server.count_events()
    head = await server.head()
    assert await read(ben, chat) == head  # nothing new in this chat
    assert await read(ben, chat, sent[0]) == sent[2]
    assert await server.count_events() == start
    assert (await unread(ben, chat), await unread(ben, other)) == (0, 1)


async def test_reading_what_one_wrote_oneself_is_no_event(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    sent = await ada.say(chat)
    start = await server.count_events()
    assert await read(ada, chat) >= sent["event_id"]
    assert await server.count_events() == start
    theirs = await ben.say(chat)
    await ben.api("DELETE", f"/messages/{theirs['message_id']}")
    start = await server.count_events()
    await read(ada, chat)
    assert await server.count_events() == start
    last = await ben.say(chat)
    assert await read(ada, chat, last["event_id"]) == last["event_id"]
    told = [event["type"] for event in await ada.may_see(last["event_id"])]
    assert told == ["notification", "messages_read", "notifications_read"]


@EACH_KIND
async def test_in_a_big_chat_a_read_is_told_to_the_reader_alone(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    await fill(server, chat, 98)
    hers, his = await ada.live(transport), await ben.live(transport)
    narrow = await ben.live(transport, chats=[chat])
    first = await ada.say(chat)
    await read(ben, chat, first["event_id"])
    assert (await hers.one("messages_read"))["data"]["user_id"] == ben.user_id
    await ada.add(chat, await server.user("onemore"))
    second = await ada.say(chat)
    await read(ben, chat, second["event_id"])
    want = {"user_id": ben.user_id, "chat_id": chat, "event_id": second["event_id"]}
    for reader in (his, narrow):
        await reader.until_id(second["event_id"])
        assert (await reader.one("messages_read"))["data"] == want
    last = await ada.say(chat)
    await hers.until_id(last["event_id"])
    assert hers.types().count("messages_read") == 1


async def test_seen_by_lists_all_of_a_small_chat_and_oneself_in_a_big_one(server: Server) -> None:
    ada, ben, eve = await server.user("Ada"), await server.user("Ben"), await server.user("Eve")
    chat = await ada.group(ben, eve)
    joined = (await ada.may_see())[-1]["id"]
    sent = await ada.say_many(chat, 2)
    await read(ben, chat, sent[1])
    found = await eve.api("GET", f"/chats/{chat}/receipts")
    assert found == {
        "receipts": [
            {"user_id": ben.user_id, "name": "Ben", "event_id": sent[1]},
            {"user_id": ada.user_id, "name": "Ada", "event_id": joined},
            {"user_id": eve.user_id, "name": "Eve", "event_id": joined},
        ]
    }
    await fill(server, chat, 98)
    found = await eve.api("GET", f"/chats/{chat}/receipts")
    assert [one["name"] for one in found["receipts"]] == ["Eve"]
    stranger = await server.user()
    for who, where, code in ((stranger, chat, "not_a_member"), (ada, "no", "chat_not_found")):
        with pytest.raises(Refused) as refused:
            await who.api("GET", f"/chats/{where}/receipts")
        assert refused.value.code == code


@pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)
async def test_devices_agree_on_what_is_unread_also_after_they_come_back(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    start = await server.head()
    desk = await ben.live(transport)
    sent = await ada.say_many(chat, 4)
    await read(ben, chat, sent[1])
    late = ben.connect(transport, cursor=start)
    want = {"user_id": ben.user_id, "chat_id": chat, "event_id": sent[1]}
    for reader in (desk, late):
        assert (await reader.one("messages_read"))["data"] == want
        count = sum(event["type"] == "new_message" for event in reader.durable)
        said = [event["id"] for event in reader.durable if event["type"] == "new_message"]
        assert count == 4
        assert sum(id_ > want["event_id"] for id_ in said) == await unread(ben, chat) == 2


async def test_ones_own_messages_and_those_from_before_one_joined_are_not_unread(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(public=True)
    await ada.say_many(chat, 3)
    await ben.api("POST", f"/chats/{chat}/members/me")
    assert (await unread(ada, chat), await unread(ben, chat)) == (0, 0)
    await ada.say_many(chat, 2)
    await ben.say(chat)
    assert (await unread(ada, chat), await unread(ben, chat)) == (1, 2)
    await ben.api("DELETE", f"/chats/{chat}/members/me")
    await ada.say(chat)
    await ben.api("POST", f"/chats/{chat}/members/me")
    assert await unread(ben, chat) == 0
