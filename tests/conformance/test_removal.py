"""Removing a person: nothing of what they said or of their name is left, and the rest stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Text, select
from support.readers import KINDS, Refused, Transport
from support.server import Person, Server, ids

from quartchat.chat import membership, messages
from quartchat.cli.folder import opened
from quartchat.config import Settings
from quartchat.errors import Conflict, UserNotFound
from quartchat.protocol import ChatOnly, SendMessage
from quartchat.store import people
from quartchat.store.schema import metadata

SECRET = "xyzzy-plugh"
NAME = "Rumpelstilzchen"


async def all_text(connection: Any) -> list[str]:
    found: list[str] = []
    for table in metadata.tables.values():
        columns = [column for column in table.c if isinstance(column.type, Text)]
        if columns:
            rows = await connection.execute(select(*columns))
            found += [value for row in rows for value in row if value]
    return found


async def lived(server: Server) -> tuple[Person, Person, str, str]:
    """Somebody with a history: said, edited, quoted, mentioned, reacted, pinned, joined."""
    ada, gone = await server.user("ada"), await server.user(NAME, email="rumpel@example.org")
    group, direct = await ada.group(gone), await gone.direct(ada)
    sent = await gone.say(group, f"@ada {SECRET}")
    await gone.api("PATCH", f"/messages/{sent['message_id']}", content=f"{SECRET}!")
    await ada.say(group, "what?", reply_to=sent["message_id"])
    hers = await ada.say(group, "mine stays")
    await gone.api("POST", f"/messages/{hers['message_id']}/reactions", emoji="👍")
    await ada.api("POST", f"/messages/{sent['message_id']}/pin")
    await gone.say(direct, SECRET)
    return ada, gone, group, direct


async def remove(server: Server, person: Person) -> None:
    await server.services.accounts.remove(person.user_id, by=None)


@pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
async def test_who_was_removed_is_redacted_for_every_reader(
    server: Server, transport: Transport
) -> None:
    start = await server.head()
    ada, gone, group, _ = await lived(server)
    before = [event["id"] for event in await ada.may_see(start)]
    live = await ada.live(transport)
    await remove(server, gone)
    await live.until("user_removed")
    reader = ada.connect(transport, cursor=start)
    await reader.until("user_removed")
    text = json.dumps(reader.seen, ensure_ascii=False)
    for trace in (SECRET, NAME, "rumpel@example.org"):
        assert trace not in text
    assert ids(reader.durable)[: len(before)] == before
    assert "mine stays" in [m["content"] for m in await ada.history(group)]


async def test_nothing_of_them_is_left_in_the_file(server: Server) -> None:
    _, gone, _, _ = await lived(server)
    await remove(server, gone)
    texts = await server.services.database.read(all_text)
    for trace in (SECRET, NAME, NAME.casefold(), "rumpel@example.org"):
        assert not [text for text in texts if trace in text]


async def test_their_login_is_over_and_their_name_is_free(server: Server) -> None:
    _, gone, _, _ = await lived(server)
    await remove(server, gone)
    with pytest.raises(Refused) as refused:
        await gone.api("GET", "/chats")
    assert refused.value.status == 401
    again = await server.user(NAME)
    assert again.user_id != gone.user_id


async def test_a_message_to_somebody_who_was_removed_is_refused(server: Server) -> None:
    ada, gone, group, direct = await lived(server)
    await remove(server, gone)
    with pytest.raises(Refused) as refused:
        await ada.say(direct, "are you there?")
    assert (refused.value.status, refused.value.code) == (404, "user_not_found")
    with pytest.raises(Refused) as refused:
        await ada.direct(gone)
    assert refused.value.code == "user_not_found"
    with pytest.raises(Refused) as refused:
        await ada.add(group, gone)
    assert refused.value.code == "user_not_found"


async def test_their_groups_get_another_owner(server: Server) -> None:
    ada, gone = await server.users(2)
    chat = await gone.group(ada)
    await remove(server, gone)
    [left] = (await ada.api("GET", "/chats"))["chats"]
    assert (left["chat_id"], left["role"], left["member_count"]) == (chat, "owner", 1)


async def test_nobody_is_removed_twice_and_the_only_administrator_stays(server: Server) -> None:
    ada = await server.user()
    await remove(server, ada)
    with pytest.raises(UserNotFound):
        await remove(server, ada)
    from sqlalchemy import update

    from quartchat.store.schema import users

    boss = await server.user()

    async def promote(tx: Any) -> None:
        tx.run(update(users).where(users.c.id == boss.user_id).values(is_admin=True))

    await server.services.writer.do(promote)
    with pytest.raises(Conflict):
        await remove(server, boss)


async def test_an_account_removed_by_another_process_loses_its_connections(
    server: Server, new_folder: Any
) -> None:
    ada, gone = await server.users(2)
    chat = await gone.direct(ada)
    reader = await gone.live("ws")
    path = server.services.settings.data
    async with opened(Settings(data=path)) as elsewhere:
        await elsewhere.accounts.remove(gone.user_id, by=None)
    events = await reader.end()
    assert events[-1]["data"]["code"] == "unauthenticated"
    with pytest.raises(Refused):
        await gone.say(chat, "still here?")


@pytest.mark.parametrize("type_", ["order.placed", "system_message"])
async def test_what_other_programs_publish_does_not_stand_in_the_way(
    start: Any, type_: str
) -> None:
    server = await start()
    ada, gone = await server.users(2)
    chat = await ada.group(gone)
    odd = {"user_id": gone.user_id, "name": "n", "quote": "five dollars", "message_id": [1]}
    operator = server.services.operator
    await operator.notify_chat_participants(chat, {"message": "m", **odd}, type=type_)
    await remove(server, gone)
    [event] = [e for e in await ada.may_see() if e["type"] == type_]
    assert event["data"]["quote"] == "five dollars"
    assert event["data"]["name"] == "Deleted user"


@pytest.mark.parametrize("user_id", ["CORP\\rumpel", 'a"b', "1", "ü%_"])
async def test_ids_of_other_issuers_are_found_whatever_they_are_made_of(
    server: Server, user_id: str
) -> None:
    start = await server.head()
    ada = await server.user("ada")

    async def adopt(tx: Any) -> None:
        row = {"id": user_id, "name": NAME, "email": None, "password_hash": None}
        people.add(tx, {**row, "is_admin": False, "created_at": tx.now})

    await server.services.writer.do(adopt)
    chat = await ada.group(public=True)
    core = server.services.core
    await membership.join(core, user_id, ChatOnly(chat))
    await messages.send(core, user_id, SendMessage(chat, SECRET))
    kept = await ada.say(chat, "1 is a number")
    await server.services.accounts.remove(user_id, by=None)
    seen = json.dumps(await ada.may_see(start))
    assert NAME not in seen
    assert SECRET not in seen
    assert (await ada.api("GET", f"/messages/{kept['message_id']}"))["content"] == "1 is a number"
