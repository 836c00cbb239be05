"""Changing and deleting messages: who may, who hears of it, and that nothing is left of what
was deleted: on no transport, from no cursor, in no quote, edit, notification or pin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.readers import ALL, Refused, Transport
from support.server import Person, Server

EVERY = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)
SECRET = "xyzzy-plugh"


async def edit(person: Person, message: dict[str, Any], content: str) -> Any:
    return await person.api("PATCH", f"/messages/{message['message_id']}", content=content)


async def delete(person: Person, message: dict[str, Any]) -> Any:
    return await person.api("DELETE", f"/messages/{message['message_id']}")


@EVERY
async def test_an_edit_reaches_every_member_as_the_whole_message_of_now(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    reader = await ben.live(transport)
    sent = await ada.say(chat, "teh kettle")
    changed = await edit(ada, sent, "the kettle")
    event = await reader.one("message_edited")
    assert event["id"] == changed["event_id"]
    assert event["data"]["message_id"] == sent["message_id"]
    assert event["data"]["content"] == "the kettle"
    assert event["data"]["timestamp"] == sent["timestamp"]
    assert event["data"]["edited_at"] == changed["timestamp"]
    [shown] = await ben.history(chat)
    assert (shown["content"], shown["edited_at"]) == ("the kettle", changed["timestamp"])


async def test_commands_over_a_websocket_edit_and_delete(server: Server) -> None:
    ada = await server.user()
    chat = await ada.group()
    sent = await ada.say(chat, "one")
    reader = await ada.live("ws")
    data = {"message_id": sent["message_id"]}
    await reader.send("edit_message", {**data, "content": "two"})
    assert (await reader.one("ack"))["data"]["message_id"] == sent["message_id"]
    await reader.send("delete_message", data)
    assert (await reader.one("message_deleted"))["data"]["user_id"] == ada.user_id


async def test_the_same_text_again_and_a_second_deletion_append_nothing(server: Server) -> None:
    ada = await server.user()
    chat = await ada.group()
    sent = await ada.say(chat, "one")
    head = await server.head()
    assert (await edit(ada, sent, "one"))["event_id"] is None
    assert await server.head() == head
    await delete(ada, sent)
    head = await server.head()
    assert (await delete(ada, sent))["event_id"] is None
    assert await server.head() == head


@pytest.mark.parametrize(
    ("content", "status", "code"), [("  ", 422, "invalid"), ("x" * 8001, 413, "too_large")]
)
async def test_an_edit_keeps_the_rules_of_sending(
    server: Server, content: str, status: int, code: str
) -> None:
    ada = await server.user()
    sent = await ada.say(await ada.group(), "kept")
    with pytest.raises(Refused) as refused:
        await edit(ada, sent, content)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert refused.value.problem["field"] == "content"


async def test_nobody_else_changes_a_message_not_even_an_owner(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    sent = await ben.say(chat, "mine")
    with pytest.raises(Refused) as refused:
        await edit(ada, sent, "ours")
    assert (refused.value.status, refused.value.code) == (403, "forbidden")
    assert [m["content"] for m in await ben.history(chat)] == ["mine"]


async def test_owners_and_admins_of_a_group_delete_anybodys_and_members_only_their_own(
    server: Server,
) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben, eve)
    hers, his = await ada.say(chat, "hers"), await ben.say(chat, "his")
    with pytest.raises(Refused) as refused:
        await delete(eve, hers)
    assert refused.value.code == "forbidden"
    await delete(ada, his)
    await ada.api("PATCH", f"/chats/{chat}/members/{eve.user_id}", role="admin")
    await delete(eve, hers)
    assert [m["content"] for m in await ben.history(chat)] == [None, None]


async def test_in_a_direct_chat_each_deletes_only_their_own(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    sent = await ben.say(chat, "his")
    with pytest.raises(Refused) as refused:
        await delete(ada, sent)
    assert refused.value.code == "forbidden"


async def test_a_message_of_a_chat_that_one_is_not_in_is_not_there(server: Server) -> None:
    ada, eve = await server.users(2)
    sent = await ada.say(await ada.group(), "private")
    for attempt in (edit(eve, sent, "x"), delete(eve, sent)):
        with pytest.raises(Refused) as refused:
            await attempt
        assert (refused.value.status, refused.value.code) == (404, "message_not_found")
    with pytest.raises(Refused) as refused:
        await eve.api("GET", f"/messages/{sent['message_id']}")
    assert refused.value.code == "message_not_found"


async def test_a_deleted_message_can_be_neither_edited_nor_answered_nor_quoted_again(
    server: Server,
) -> None:
    ada = await server.user()
    chat = await ada.group()
    sent = await ada.say(chat, "gone soon")
    await delete(ada, sent)
    with pytest.raises(Refused) as refused:
        await edit(ada, sent, "back")
    assert (refused.value.status, refused.value.code) == (409, "deleted")
    with pytest.raises(Refused) as refused:
        await ada.say(chat, "re", reply_to=sent["message_id"])
    assert (refused.value.code, refused.value.problem["field"]) == ("message_not_found", "reply_to")


async def told_of_a_secret(server: Server) -> tuple[Person, Person, str, dict[str, Any], int]:
    """A message that says a secret, with all that can repeat it; deleted in the end."""
    ada, ben = await server.users(2)
    start = await server.head()
    chat = await ada.group(ben)
    sent = await ada.say(chat, f"@{ben.name} {SECRET}")
    await edit(ada, sent, f"@{ben.name} {SECRET}!")
    reply = await ben.say(chat, "really?", reply_to=sent["message_id"])
    await edit(ben, reply, "no, really?")
    await ada.api("POST", f"/messages/{sent['message_id']}/pin")
    await delete(ada, sent)
    return ada, ben, chat, sent, start


@EVERY
async def test_what_was_deleted_is_redacted_for_every_reader_from_every_cursor(
    server: Server, transport: Transport
) -> None:
    _, ben, _, sent, start = await told_of_a_secret(server)
    for cursor in (start, 0):
        reader = ben.connect(transport, cursor=cursor)
        await reader.until("message_deleted")
        assert SECRET not in json.dumps(reader.seen)
        [event] = [e for e in reader.durable if e.get("id") == sent["event_id"]]
        assert event["type"] == "new_message"
        assert event["data"]["content"] is None
        assert event["data"]["deleted"] is True
        await reader.close()


async def test_nothing_of_it_is_left_in_any_answer_nor_in_the_file(server: Server) -> None:
    ada, ben, chat, sent, _ = await told_of_a_secret(server)
    for person in (ada, ben):
        for path in (
            f"/chats/{chat}/messages",
            f"/messages/{sent['message_id']}",
            f"/chats/{chat}/pins",
            "/chats",
            "/notifications",
        ):
            answer = await person.request("GET", f"/api{path}")
            assert answer.status_code == 200, path
            assert SECRET not in answer.text, path
        page = await person.request("GET", f"/chats/{chat}")
        assert SECRET not in page.text
    texts = await server.services.database.read(all_text)
    assert not [text for text in texts if SECRET in text]


async def all_text(connection: Any) -> list[str]:
    from sqlalchemy import Text, select

    from quartchat.store.schema import metadata

    found: list[str] = []
    for table in metadata.tables.values():
        columns = [column for column in table.c if isinstance(column.type, Text)]
        if columns:
            rows = await connection.execute(select(*columns))
            found += [value for row in rows for value in row if value]
    return found


async def test_a_reply_keeps_its_own_text_and_says_that_what_it_quotes_is_gone(
    server: Server,
) -> None:
    _, ben, chat, sent, _ = await told_of_a_secret(server)
    reply = (await ben.history(chat))[-1]
    assert reply["content"] == "no, really?"
    assert reply["quote"]["deleted"] is True
    assert (reply["quote"]["message_id"], reply["quote"]["excerpt"]) == (sent["message_id"], "")


async def test_a_deleted_message_does_not_count_as_unread(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    first = await ada.say(chat)
    await ada.say(chat)
    await delete(ada, first)
    [seen] = (await ben.api("GET", "/chats"))["chats"]
    assert seen["unread"] == 1


async def test_a_deletion_in_a_full_log_is_redacted_in_memory_and_in_the_store_alike(
    start: Any,
) -> None:
    """A tail of one byte reads the store, a large one memory: both forget."""
    for tail_bytes in (1, 2**20):
        server = await start(tail_bytes=tail_bytes)
        ada = await server.user()
        chat = await ada.group()
        since = await server.head()
        sent = await ada.say(chat, SECRET)
        await ada.say_many(chat, 7)
        warm = ada.connect("stream", cursor=since)  # whatever is made once per event is made
        await warm.until_id(await server.head())
        await delete(ada, sent)
        cold = ada.connect("stream", cursor=since)
        await cold.until("message_deleted")
        assert SECRET not in json.dumps(cold.seen)


async def touched(server: Server) -> tuple[Person, Person, str, dict[str, Any], dict[str, Any]]:
    """A chat that does not show what was before; its message from before somebody joined."""
    ada, ben = await server.users(2)
    chat = await ada.group()
    old = await ada.say(chat, SECRET)
    await ada.add(chat, ben)
    return ada, ben, chat, old, await ada.say(chat, "new")


async def touch(person: Person, message: dict[str, Any], text: str) -> None:
    """All that can be done to a message and is told with something of it."""
    path = f"/messages/{message['message_id']}"
    await edit(person, message, text)
    await person.api("POST", f"{path}/pin")
    await person.api("POST", f"{path}/reactions", emoji="👍")


TOUCHED = ["message_edited", "message_pinned", "message_reacted", "message_deleted"]


@EVERY
async def test_what_is_done_to_a_message_from_before_is_not_told_to_who_may_not_read_it(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat, old, new = await touched(server)
    live, hers = await ben.live(transport), await ada.live(transport)
    for message in (old, new):
        await touch(ada, message, f"{SECRET}!" if message is old else "newer")
        await delete(ada, message)
    last = await ada.say(chat)
    resumed = ben.connect(transport, cursor=new["event_id"])
    narrowed = ben.connect(transport, cursor=new["event_id"], chats=[chat])
    for reader in (live, resumed, narrowed):
        await reader.until_id(last["event_id"])
        about = [e for e in reader.durable if e["type"] in TOUCHED]
        assert [event["type"] for event in about] == TOUCHED
        assert {event["data"]["message_id"] for event in about} == {new["message_id"]}
        assert SECRET not in json.dumps(reader.seen)
    await hers.until_id(last["event_id"])
    assert [e["type"] for e in hers.durable if e["type"] in TOUCHED] == TOUCHED * 2


async def test_a_page_does_not_show_the_pins_of_messages_from_before(server: Server) -> None:
    ada, ben, chat, old, _ = await touched(server)
    await touch(ada, old, f"{SECRET}!")
    for path in (f"/chats/{chat}", f"/api/chats/{chat}/pins", f"/api/chats/{chat}/messages"):
        assert SECRET not in (await ben.request("GET", path)).text, path
    assert SECRET in (await ada.request("GET", f"/chats/{chat}")).text


async def test_it_is_told_as_soon_as_the_chat_shows_its_history_and_no_longer_after_that(
    server: Server,
) -> None:
    ada, ben, chat, old, _ = await touched(server)
    reader = await ben.live("ws")
    for history, text in (("all", "shown"), ("joined", SECRET), ("all", "shown again")):
        await ada.api("PATCH", f"/chats/{chat}", history=history)
        await edit(ada, old, text)
        await reader.until_id((await ada.say(chat))["event_id"])
    told = [e["data"]["content"] for e in reader.durable if e["type"] == "message_edited"]
    assert told == ["shown", "shown again"]
