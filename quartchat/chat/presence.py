"""Who is here, and who is typing: signals that are not stored and expire by themselves."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import Core, chat_and_member
from quartchat.events import chat_topic, ephemeral, user_topic
from quartchat.protocol import Typing
from quartchat.store import rooms

log = structlog.get_logger("quartchat.presence")
LEASE_SECONDS = 35.0  # a client that polls is away between two polls, but not gone
TYPING_SECONDS = 6.0
BIG_ROOM = 100  # in larger rooms comings and goings are not announced


class Presence:
    """`hold` and `release` count a user's open connections; the last release starts a lease."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._held: dict[str, int] = {}
        self._leases: dict[str, asyncio.TimerHandle] = {}
        self._typing: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def hold(self, user_id: str) -> None:
        lease = self._leases.pop(user_id, None)
        fresh = lease is None and user_id not in self._held
        if lease is not None:
            lease.cancel()
        self._held[user_id] = self._held.get(user_id, 0) + 1
        if fresh:
            self._announce("user_online", user_id)

    def release(self, user_id: str) -> None:
        self._held[user_id] -= 1
        if self._held[user_id] == 0:
            del self._held[user_id]
            loop = asyncio.get_running_loop()
            self._leases[user_id] = loop.call_later(LEASE_SECONDS, self._gone, user_id)

    def _gone(self, user_id: str) -> None:
        del self._leases[user_id]
        self._announce("user_offline", user_id)

    def is_online(self, user_id: str) -> bool:
        return user_id in self._held or user_id in self._leases

    def typing(self) -> dict[str, set[str]]:
        """chat id -> who is typing in it."""
        found: dict[str, set[str]] = {}
        for chat_id, user_id in self._typing:
            found.setdefault(chat_id, set()).add(user_id)
        return found

    def _announce(self, type_: str, user_id: str) -> None:
        task = asyncio.create_task(self._tell_chats(type_, user_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_chats(self, type_: str, user_id: str) -> None:
        try:
            users = await self._core.database.read(
                lambda c: rooms.acquaintances(c.execute, user_id, BIG_ROOM)
            )
        except Exception as error:  # a signal may be lost, and nobody waits for this one
            log.warning("presence_lost", error=type(error).__name__)
            return
        for other in users:  # once each, however many chats they share
            self._core.bus.signal(ephemeral(type_, {"user_id": user_id}, user_topic(other)))

    async def set_typing(self, actor: str, wish: Typing) -> None:
        """Tell the chat; stops by itself after 6 s. Raises ChatNotFound, NotAMember."""
        await self._core.database.read(lambda c: chat_and_member(c.execute, wish.chat_id, actor))
        key = (wish.chat_id, actor)
        if timer := self._typing.pop(key, None):
            timer.cancel()
        elif not wish.is_typing:
            return
        if wish.is_typing:
            loop = asyncio.get_running_loop()
            self._typing[key] = loop.call_later(TYPING_SECONDS, self._stopped, key)
            self._signal("user_typing", key)
        else:
            self._signal("user_stopped_typing", key)

    def _stopped(self, key: tuple[str, str]) -> None:
        if timer := self._typing.pop(key, None):
            timer.cancel()
            self._signal("user_stopped_typing", key)

    def stopped(self, chat_id: str, user_id: str) -> None:
        """Whoever has sent a message is not typing it any more."""
        self._stopped((chat_id, user_id))

    def _signal(self, type_: str, key: tuple[str, str]) -> None:
        chat_id, user_id = key
        data = {"user_id": user_id, "chat_id": chat_id}
        self._core.bus.signal(ephemeral(type_, data, chat_topic(chat_id)))

    async def close(self) -> None:
        for timer in (*self._leases.values(), *self._typing.values()):
            timer.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def status(core: Core, presence: Presence, user_id: str) -> dict[str, Any]:
    """`chat_status`: who of each chat is online and typing, and what is unread."""

    async def work(connection: AsyncConnection) -> tuple[list[Any], dict[str, set[str]]]:
        mine = await rooms.mine(connection.execute, user_id)
        return mine, await rooms.members_of_mine(connection.execute, user_id)

    mine, members = await core.database.read(work)
    typing = presence.typing()
    return {"chats": [_status(row, presence, members[row.id], typing) for row in mine]}


def _status(
    row: Any, presence: Presence, members: set[str], typing: dict[str, set[str]]
) -> dict[str, Any]:
    return {
        "chat_id": row.id,
        "online": sorted(member for member in members if presence.is_online(member)),
        "typing": sorted(typing.get(row.id, set()) & members),
        "unread": row.unread,
    }
