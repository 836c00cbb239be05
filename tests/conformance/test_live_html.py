"""Streamed HTML: the same events, as a page that never ends."""

from __future__ import annotations

from functools import partial

import pytest
from support.readers import Read, Refused, read_live_html
from support.server import Person, Server, ids


def page_of(chat: str) -> Read:
    return partial(read_live_html, chat_id=chat)


async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, ben = await server.users(2)
    return ada, ben, await ada.group(ben)


async def test_the_page_begins_with_the_history_and_goes_on_live(server: Server) -> None:
    ada, ben, chat = await pair(server)
    before = await ada.say_many(chat, 7)
    reader = ben.connect(page_of(chat))
    await reader.until_id(before[-1])
    live = await ada.say_many(chat, 7)
    await reader.until_id(live[-1])
    shown = [id_ for id_ in ids(reader.seen) if id_ in before + live]
    assert shown == before + live


async def test_with_a_cursor_the_page_shows_what_came_after_it_once(server: Server) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 14)
    reader = ben.connect(page_of(chat), cursor=sent[2])
    await reader.until_id(sent[-1])
    live = await ada.say(chat)
    await reader.until_id(live["event_id"])
    assert ids(reader.seen) == [*sent[3:], live["event_id"]]


async def test_the_page_shows_nothing_of_other_chats_and_nothing_after_a_removal(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    other = await ada.group(ben)
    reader = ben.connect(page_of(chat), cursor=await server.head())
    sent = await ada.say(chat)
    await reader.until_id(sent["event_id"])
    await ada.say(other)
    await ada.remove(chat, ben)
    after = await ada.say_many(chat, 2)
    watcher = ada.connect("ws", cursor=sent["event_id"])
    await watcher.until_id(after[-1])
    await server.stop()
    await reader.end()
    assert not set(ids(reader.seen)) & set(after)
    assert ids(reader.seen)[0] == sent["event_id"]
    assert len(ids(reader.seen)) <= 2


async def test_the_page_of_a_foreign_chat_is_refused(server: Server) -> None:
    ada, _, chat = await pair(server)
    eve = await server.user()
    for person, wrong in ((eve, chat), (ada, "nowhere")):
        reader = person.connect(page_of(wrong))
        with pytest.raises(Refused) as refused:
            await reader.end()
        assert refused.value.status in (403, 404)
