"""Whatever people do, and in whatever order: what is unread equals a recount from the log."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.log import STORES, Log, open_log

from quartchat.chat import bell, edits, membership, messages, receipts, rooms
from quartchat.errors import ChatError
from quartchat.events import Event
from quartchat.protocol import (
    ChatOnly,
    CreateChat,
    EditMessage,
    MarkRead,
    Member,
    MessageOnly,
    SendMessage,
)

PEOPLE = ["ada", "ben", "eve"]
PLACES = 3  # two rooms, and a direct chat of the first two
number = st.integers(0, 29)
# What is done more often stands more often.
VERBS = ["say"] * 6 + ["read"] * 3 + ["read_all", "read_notifications", "delete", "edit"]
STEPS = st.tuples(st.sampled_from([*VERBS, "join", "leave", "remove"]), number, number, number)


@dataclass
class World:
    log: Log
    chats: list[str]
    said: list[tuple[str, str]] = field(default_factory=list)  # (message, who said it)

    async def say(self, who: int, where: int, how: int) -> None:
        """Who is in no room comes in first."""
        if where % PLACES < 2:
            await self.join(who, where, how)
        content = f"hello @{PEOPLE[how % 3]}" if how % 2 else "hello"
        reply = self.said[-1][0] if self.said and how % 5 == 0 else None
        wish = SendMessage(self.chats[where % PLACES], content, reply_to=reply)
        ack = await messages.send(self.log.core, PEOPLE[who % 3], wish, lambda _: how % 3 > 0)
        self.said.append((ack["message_id"], PEOPLE[who % 3]))

    async def read(self, who: int, where: int, event: int) -> None:
        """Up to any event, also of another chat."""
        events = await self.log.kept()
        upto = events[-1 - event % len(events)].id
        wish = MarkRead(self.chats[where % PLACES], upto)
        await receipts.mark_read(self.log.core, PEOPLE[who % 3], wish)

    async def read_all(self, who: int, where: int, _: int) -> None:
        wish = MarkRead(self.chats[where % PLACES])
        await receipts.mark_read(self.log.core, PEOPLE[who % 3], wish)

    async def read_notifications(self, who: int, _: int, some: int) -> None:
        user = PEOPLE[who % 3]
        page = await bell.page(self.log.core, user, bell.Span())
        ids = [one["notification_id"] for one in page["notifications"][some % 4 : some % 4 + 2]]
        await bell.read_some(self.log.core, user, ids)

    async def delete(self, who: int, _: int, which: int) -> None:
        """Often one's own, sometimes another's."""
        message, author = self.said[which % len(self.said)] if self.said else ("1", "ada")
        actor = author if which % 3 else PEOPLE[who % 3]
        await edits.delete(self.log.core, actor, MessageOnly(message))

    async def edit(self, who: int, where: int, which: int) -> None:
        message, author = self.said[which % len(self.said)] if self.said else ("1", "ada")
        actor = author if which % 3 else PEOPLE[who % 3]
        await edits.edit(self.log.core, actor, EditMessage(message, f"now {where}"))

    async def join(self, who: int, where: int, _: int) -> None:
        wish = ChatOnly(self.chats[where % PLACES])
        await membership.join(self.log.core, PEOPLE[who % 3], wish)

    async def leave(self, who: int, where: int, _: int) -> None:
        wish = ChatOnly(self.chats[where % PLACES])
        await membership.leave(self.log.core, PEOPLE[who % 3], wish)

    async def remove(self, who: int, where: int, _: int) -> None:
        wish = Member(self.chats[where % PLACES], PEOPLE[who % 3])
        await membership.remove(self.log.core, "root", wish)


class Recount:
    """What the log says by itself, event by event."""

    def __init__(self) -> None:
        self.since: dict[tuple[str, str], int] = {}  # (user, chat) -> the event of joining
        self.read: dict[tuple[str, str], int] = {}
        self.said: dict[str, dict[int, str]] = defaultdict(dict)  # chat -> message -> sender
        self.told: dict[str, dict[int, str | None]] = defaultdict(dict)  # user -> unread -> chat

    def take(self, event: Event) -> None:
        handle = getattr(self, f"_{event.type}", None)
        if handle is not None:
            assert event.id is not None
            handle(event.id, event.fields())

    def _enter(self, id_: int, user: str, chat: str) -> None:
        self.since[user, chat] = self.read[user, chat] = id_

    def _chat_created(self, id_: int, data: dict[str, Any]) -> None:
        for user in data["members"]:
            self._enter(id_, user, data["chat_id"])

    def _user_joined(self, id_: int, data: dict[str, Any]) -> None:
        self._enter(id_, data["user_id"], data["chat_id"])

    def _user_left(self, _: int, data: dict[str, Any]) -> None:
        self.since.pop((data["user_id"], data["chat_id"]), None)

    def _new_message(self, id_: int, data: dict[str, Any]) -> None:
        self.said[data["chat_id"]][id_] = data["sender_id"]

    def _message_deleted(self, _: int, data: dict[str, Any]) -> None:
        del self.said[data["chat_id"]][int(data["message_id"])]

    def _messages_read(self, _: int, data: dict[str, Any]) -> None:
        key = data["user_id"], data["chat_id"]
        assert data["event_id"] > self.read[key], "a read goes on, or is not told"
        self.read[key] = data["event_id"]

    def _notification(self, id_: int, data: dict[str, Any]) -> None:
        self.told[data["user_id"]][id_] = data.get("chat_id")

    def _notifications_read(self, _: int, data: dict[str, Any]) -> None:
        for id_ in data["notification_ids"]:
            del self.told[data["user_id"]][int(id_)]
        assert data["unread"] == len(self.notifications(data["user_id"]))

    def chats(self, user: str) -> dict[str, int]:
        """chat id -> what is unread, of the chats that the user is in."""
        mine = [chat for who, chat in self.since if who == user]
        return {chat: self._unread(user, chat) for chat in mine}

    def _unread(self, user: str, chat: str) -> int:
        seen = self.read[user, chat]
        return sum(id_ > seen and who != user for id_, who in self.said[chat].items())

    def notifications(self, user: str) -> set[str]:
        """The unread ones, but for those of chats that the user is not in any more."""

        def may_see(id_: int, chat: str | None) -> bool:
            return chat is None or id_ >= self.since.get((user, chat), 2**53)

        return {str(id_) for id_, chat in self.told[user].items() if may_see(id_, chat)}


async def check(log: Log) -> None:
    recount = Recount()
    for event in await log.kept():
        recount.take(event)
    for user in ["root", *PEOPLE]:
        mine = await rooms.my_chats(log.core, user)
        assert {one["chat_id"]: one["unread"] for one in mine["chats"]} == recount.chats(user)
        page = await bell.page(log.core, user, bell.Span(limit=200, unread=True))
        shown = {one["notification_id"] for one in page["notifications"]}
        assert shown == recount.notifications(user)
        assert page["unread"] == len(shown)


async def play(folder: Path, store: str, steps: Sequence[Any]) -> None:
    async with open_log(folder, store=store) as log:
        await log.add_users("root", *PEOPLE)
        room = CreateChat(kind="group", title="room", public=True, members=PEOPLE)
        hidden = CreateChat(kind="group", title="room", public=True, history="joined")
        direct = CreateChat(kind="direct", user_id=PEOPLE[1])
        makers = (("root", room), ("root", hidden), (PEOPLE[0], direct))
        chats = [(await rooms.create(log.core, who, wish))[0] for who, wish in makers]
        world = World(log, chats)
        for index, (name, *how) in enumerate(steps):
            try:
                await getattr(world, name)(*how)
            except ChatError:
                continue  # who is no member may not speak, and so on
            if index % 6 == 0:
                await check(log)
        await check(log)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.slow
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=30, max_size=50))
def test_what_is_unread_equals_a_recount_from_the_log_after_any_history(
    migrated: Path, store: str, steps: list[Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(migrated, Path(folder) / "quartchat.db")
        asyncio.run(play(Path(folder), store, steps))
