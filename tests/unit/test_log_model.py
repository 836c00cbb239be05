"""A model of people who join, leave, talk, drop off and come back anywhere: each reader ends
with exactly the events that it may see, in order, once."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.log import STORES, Log, open_log

from quartchat.chat import membership, messages, rooms
from quartchat.delivery.subscriber import Wish
from quartchat.errors import ChatError
from quartchat.events import Event, Page, chat_of, chat_topic, ephemeral
from quartchat.protocol import ChatOnly, CreateChat, Member, SendMessage

PEOPLE = ["ada", "ben", "eve"]
ROOMS = 3
number = st.integers(0, 8)
STEPS = st.one_of(
    st.tuples(st.just("say"), number, number, st.integers(1, 6)),
    st.tuples(st.just("join"), number, number, st.none()),
    st.tuples(st.just("leave"), number, number, st.none()),
    st.tuples(st.just("remove"), number, number, st.none()),
    st.tuples(st.just("signal"), number, number, st.none()),
    st.tuples(st.just("read"), number, number, st.integers(1, 4)),
    st.tuples(st.just("catch up"), number, number, st.none()),
    st.tuples(st.just("reconnect"), number, st.integers(1, 7), st.booleans()),
    st.tuples(st.just("forget memory"), number, number, st.none()),
)


@dataclass(eq=False)
class Ear:
    """One client: it keeps its cursor, whatever becomes of its connection."""

    user: str
    cursor: int = 0
    only: frozenset[str] | None = None
    pages: AsyncIterator[Page] | None = None
    got: list[int] = field(default_factory=list)


@dataclass
class World:
    log: Log
    chats: list[str]
    ears: list[Ear]
    since: dict[tuple[str, str], int] = field(default_factory=dict)

    async def say(self, who: int, where: int, times: int) -> None:
        for _ in range(times):
            wish = SendMessage(self.chats[where % ROOMS], "hello")
            await messages.send(self.log.core, PEOPLE[who % 3], wish)

    async def join(self, who: int, where: int, _: None) -> None:
        chat, user = self.chats[where % ROOMS], PEOPLE[who % 3]
        ack = await membership.join(self.log.core, user, ChatOnly(chat))
        if ack["event_id"] is not None:
            self.since[chat, user] = ack["event_id"]

    async def leave(self, who: int, where: int, _: None) -> None:
        chat, user = self.chats[where % ROOMS], PEOPLE[who % 3]
        await membership.leave(self.log.core, user, ChatOnly(chat))
        self.since.pop((chat, user), None)

    async def remove(self, who: int, where: int, _: None) -> None:
        chat, user = self.chats[where % ROOMS], PEOPLE[who % 3]
        await membership.remove(self.log.core, "root", Member(chat, user))
        self.since.pop((chat, user), None)

    async def signal(self, who: int, where: int, _: None) -> None:
        self.log.bus.signal(ephemeral("user_typing", {}, chat_topic(self.chats[where % ROOMS])))

    async def forget_memory(self, *_: object) -> None:
        tail = self.log.feed.tail
        tail.reset(tail.head)

    async def reconnect(self, ear: int, page_size: int, narrow: bool) -> None:
        client = self.ears[ear % len(self.ears)]
        await self.close(client)
        mine = [chat for chat, user in self.since if user == client.user]
        client.only = frozenset(mine[:2]) if narrow else None
        wish = Wish(client.cursor, client.only, 0.0, page_size)
        client.pages = self.log.subscriber(client.user, wish).pages()

    async def close(self, client: Ear) -> None:
        if client.pages is not None:
            await client.pages.aclose()  # type: ignore[attr-defined]
            client.pages = None

    async def read(self, ear: int, _: int, pages: int) -> None:
        await self._take(self.ears[ear % len(self.ears)], pages)

    async def catch_up(self, ear: int, *_: object) -> None:
        await self._take(self.ears[ear % len(self.ears)], None)

    async def _take(self, client: Ear, pages: int | None) -> None:
        """Read some pages, or all there is; and hold it against the model."""
        if client.pages is None:
            await self.reconnect(self.ears.index(client), 3, False)
        assert client.pages is not None
        got: list[Event] = []
        silent = False
        while not silent and (pages is None or pages > 0):
            page = await anext(client.pages)
            got += [event for event in page.events if event.id is not None]
            silent = any(event.type == "heartbeat" for event in page.events)
            pages = None if pages is None else pages - 1
        want = [event for event in await self.log.kept() if self._may_see(client, event)]
        assert [event.json for event in got] == [event.json for event in want[: len(got)]]
        if silent:
            assert len(got) == len(want)
        client.got += [event.id or 0 for event in got]
        client.cursor = client.got[-1] if client.got else client.cursor
        assert client.got == sorted(set(client.got))

    def _may_see(self, client: Ear, event: Event) -> bool:
        assert event.id is not None
        if event.id <= client.cursor:
            return False
        chat = chat_of(event.topic)
        if chat is None:
            mine = event.topic == f"u:{client.user}"
            return mine and (client.only is None or event.fields()["chat_id"] in client.only)
        first = self.since.get((chat, client.user))
        inside = client.only is None or chat in client.only
        return first is not None and event.id >= first and inside


async def play(folder: Path, store: str, tail_bytes: int, steps: list[Any]) -> None:
    async with open_log(folder, store=store, tail_bytes=tail_bytes) as log:
        await log.add_users("root", *PEOPLE)
        wish = CreateChat(kind="group", title="room", public=True)
        chats = [(await rooms.create(log.core, "root", wish))[0] for _ in range(ROOMS)]
        world = World(log, chats, [Ear(user) for user in PEOPLE * 2])
        for name, *how in steps:
            try:
                await getattr(world, name.replace(" ", "_"))(*how)
            except ChatError:
                continue  # who is no member may neither speak nor leave
        for index, client in enumerate(world.ears):
            await world.reconnect(index, 4, False)
            await world.catch_up(index)
            await world.close(client)


@pytest.mark.parametrize("store", STORES)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    tail_bytes=st.sampled_from([1, 3_000, 12_000, 2**20]),
    steps=st.lists(STEPS, min_size=5, max_size=40),
)
def test_each_reader_gets_exactly_what_it_may_see_in_order_and_once(
    migrated: Path, store: str, tail_bytes: int, steps: list[Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(migrated, Path(folder) / "quartchat.db")
        asyncio.run(play(Path(folder), store, tail_bytes, steps))


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("tail_bytes", [1, 5_000, 2**20])
async def test_readers_that_come_and_go_while_many_talk_miss_nothing_and_get_nothing_twice(
    migrated: Path, tmp_path: Path, store: str, tail_bytes: int
) -> None:
    shutil.copyfile(migrated, tmp_path / "quartchat.db")
    async with open_log(tmp_path, store=store, tail_bytes=tail_bytes) as log:
        await log.add_users("root", *PEOPLE)
        wish = CreateChat(kind="group", title="room", members=PEOPLE)
        chats = [(await rooms.create(log.core, "root", wish))[0] for _ in range(ROOMS)]

        async def talk(user: str) -> None:
            for count in range(30):
                await messages.send(
                    log.core, user, SendMessage(chats[count % ROOMS], f"{user} {count}")
                )

        talking = asyncio.gather(*(talk(user) for user in ["root", *PEOPLE]))

        async def follow(user: str, pages_each: int, page_size: int) -> list[bytes]:
            got: list[bytes] = []
            cursor, total = 0, ROOMS + 4 * 30
            while len(got) < total:
                left = pages_each
                pages = log.subscriber(user, Wish(cursor, None, 5.0, page_size)).pages()
                async for page in pages:
                    for event in page.events:
                        if event.id is not None:
                            got.append(event.json)
                            cursor = event.id
                    left -= 1
                    if left == 0 or len(got) >= total:
                        break
                await pages.aclose()  # type: ignore[attr-defined]
            return got

        async with asyncio.timeout(30):
            readers = [
                follow(user, pages, size)
                for user in PEOPLE
                for pages, size in ((3, 1), (4, 7), (10_000, 500))
            ]
            results = await asyncio.gather(*readers)
            await talking
        want = [event.json for event in await log.kept()]
        assert all(result == want for result in results)
