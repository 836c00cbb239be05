"""Two processes on one log: what the other one wrote comes in order, and what it changed of
who may see what holds before anything later is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio
from support.log import Log, open_log

from quartchat.chat import details, edits, membership, messages, rooms
from quartchat.delivery.subscriber import Wish
from quartchat.protocol import CreateChat, EditMessage, Member, MessageOnly, SendMessage
from quartchat.store.writer import Transaction

Folder = Callable[[str], Path]


@pytest_asyncio.fixture(params=[1, 2**20], ids=["from the store", "from memory"])
async def both(
    request: pytest.FixtureRequest, new_folder: Folder
) -> AsyncIterator[tuple[Log, Log]]:
    folder = new_folder("data")
    async with open_log(folder, tail_bytes=request.param) as here, open_log(folder) as there:
        await here.add_users("ada", "ben")
        yield here, there


async def room(log: Log, *members: str) -> str:
    wish = CreateChat("group", title="Room", members=list(members))
    return (await rooms.create(log.core, "ada", wish))[0]


async def say(log: Log, chat: str, content: str) -> int:
    return (await messages.send(log.core, "ada", SendMessage(chat, content)))["event_id"]


async def read(log: Log, user: str, cursor: int) -> tuple[list[str], int]:
    """What a reader gets without waiting: texts (or types), and its position then."""
    texts: list[str] = []
    while True:
        page, _ = await log.feed.read(user, None, cursor, 100)
        texts += [event.fields().get("content") or event.type for event in page.events]
        cursor = max(page.cursor, page.reached)
        if page.complete:
            return texts, cursor


async def follow(log: Log) -> None:
    while await log.feed._catch_up():
        pass


async def test_what_both_write_in_turns_is_read_in_one_order(both: tuple[Log, Log]) -> None:
    here, there = both
    chat = await room(here, "ben")
    cursor = here.feed.tail.head
    for n in range(6):
        await say((here, there)[n % 2], chat, f"message {n}")
    await follow(here)
    assert (await read(here, "ben", cursor))[0] == [f"message {n}" for n in range(6)]


async def test_who_was_added_elsewhere_misses_nothing_from_joining_on(
    both: tuple[Log, Log],
) -> None:
    here, there = both
    chat = await room(here)
    _, cursor = await read(here, "ben", here.feed.tail.head)
    await membership.add(there.core, "ada", Member(chat, "ben"))
    await say(there, chat, "welcome")
    early, cursor = await read(here, "ben", cursor)
    await follow(here)
    late, _ = await read(here, "ben", cursor)
    assert early + late == ["user_joined", "welcome"]


async def test_who_was_removed_elsewhere_gets_nothing_that_came_after(
    both: tuple[Log, Log],
) -> None:
    here, there = both
    chat = await room(here, "ben")
    _, cursor = await read(here, "ben", here.feed.tail.head)
    await membership.remove(there.core, "ada", Member(chat, "ben"))
    await say(there, chat, "secret")
    early, cursor = await read(here, "ben", cursor)
    await say(here, chat, "another secret")
    between, cursor = await read(here, "ben", cursor)
    await follow(here)
    late, _ = await read(here, "ben", cursor)
    assert early + between + late == ["user_left"]


async def test_what_another_process_deletes_is_redacted_here_too(both: tuple[Log, Log]) -> None:
    here, there = both
    chat = await room(here, "ben")
    cursor = here.feed.tail.head
    secret = await say(here, chat, "secret")
    await say(here, chat, "harmless")
    await read(here, "ben", cursor)
    await edits.delete(there.core, "ada", MessageOnly(str(secret)))
    await follow(here)
    assert (await read(here, "ben", cursor))[0] == ["new_message", "harmless", "message_deleted"]


async def test_a_message_deleted_in_the_commit_that_brought_it_is_never_shown(
    both: tuple[Log, Log],
) -> None:
    here, _ = both
    chat = await room(here, "ben")
    cursor = here.feed.tail.head
    said = asyncio.create_task(say(here, chat, "secret"))

    async def last(tx: Transaction) -> None:
        await edits._delete(tx, "ada", str(tx.head))

    await asyncio.gather(said, here.core.writer.do(last))
    assert (await read(here, "ben", cursor))[0] == ["new_message", "message_deleted"]


@pytest.mark.usefixtures("leaves_no_task")
async def test_a_live_reader_hears_of_the_other_process_by_following_the_log(
    both: tuple[Log, Log],
) -> None:
    here, there = both
    chat = await room(here, "ben")
    following = asyncio.create_task(here.feed.follow(0.01))
    seen: list[str] = []
    async with aclosing(here.subscriber("ben", Wish()).pages()) as pages:
        async with asyncio.timeout(10):
            async for page in pages:
                types = [event.type for event in page.events]
                seen += [e.fields()["content"] for e in page.events if e.type == "new_message"]
                if "caught_up" in types:
                    for n in range(5):
                        await say((there, here)[n % 2], chat, f"{n}")
                if len(seen) == 5:
                    break
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert seen == [f"{n}" for n in range(5)]


async def test_that_a_chat_shows_its_history_no_more_holds_also_where_another_process_said_so(
    both: tuple[Log, Log],
) -> None:
    here, there = both
    wish = CreateChat("group", title="Room", history="all")
    chat = (await rooms.create(here.core, "ada", wish))[0]
    old = await say(here, chat, "old")
    await membership.add(here.core, "ada", Member(chat, "ben"))
    _, cursor = await read(here, "ben", here.feed.tail.head)
    await edits.edit(here.core, "ada", EditMessage(str(old), "shown"))
    before, cursor = await read(here, "ben", cursor)
    await details.update(there.core, "ada", details.UpdateChat(chat, history="joined"))
    await edits.edit(there.core, "ada", EditMessage(str(old), "secret"))
    await follow(here)
    after, _ = await read(here, "ben", cursor)
    assert before + after == ["shown", "chat_updated"]


async def test_a_page_that_shows_all_is_shared_by_its_readers(both: tuple[Log, Log]) -> None:
    here, _ = both
    chat = await room(here, "ben")
    cursor = here.feed.tail.head
    said = await say(here, chat, "hello")
    await edits.edit(here.core, "ada", EditMessage(str(said), "hello!"))
    if cursor >= here.feed.tail.floor:
        pages = [(await here.feed.read(user, None, cursor, 100))[0] for user in ("ada", "ben")]
        assert pages[0] is pages[1]
