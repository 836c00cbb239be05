"""What administrators see: numbers, users, chats, open connections. Each method raises Forbidden
for others. (What they do: see accounts.py.)"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat import __version__
from quartchat.chat.accounts import Connection, Live, need_admin
from quartchat.chat.core import Core
from quartchat.chat.presence import Presence
from quartchat.events import rfc3339
from quartchat.store import log, overview
from quartchat.store.members import picture_url

PAGE = 50
COUNT_SECONDS = 10.0  # counting a million messages takes 50 ms


class Admin:
    def __init__(self, core: Core, presence: Presence, live: Live) -> None:
        self._core, self._presence, self._live = core, presence, live
        self._started = core.clock()
        self._counted: tuple[float, dict[str, int]] | None = None

    async def overview(self, actor: str) -> dict[str, Any]:
        """{version, uptime (s), users, chats, messages, online, connections: {transport: number},
        head, floor, database_bytes, tail_bytes}; the first three numbers up to 10 s old."""

        async def work(connection: AsyncConnection) -> tuple[log.State, dict[str, int]]:
            await need_admin(connection.execute, actor)
            return await log.state(connection), await self._counts(connection)

        state, counts = await self._core.database.read(work)
        transports = Counter(one.transport for one in self._live.connections())
        return {
            "version": __version__,
            "uptime": int(self._core.clock() - self._started),
            **counts,
            "online": len(self._presence.online()),
            "connections": dict(sorted(transports.items())),
            "head": state.head,
            "floor": state.floor,
            "database_bytes": self._database_bytes(),
            "tail_bytes": self._live.tail_bytes(),
        }

    async def _counts(self, connection: AsyncConnection) -> dict[str, int]:
        now = self._core.clock()
        if self._counted is None or not 0 <= now - self._counted[0] < COUNT_SECONDS:
            fetch = connection.execute
            found = {
                "users": await overview.count_users(fetch),
                "chats": await overview.count_chats(fetch),
                "messages": await overview.count_messages(fetch),
            }
            self._counted = now, found
        return self._counted[1]

    def _database_bytes(self) -> int:
        path = self._core.settings.database
        files = (path, path.with_name(path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    async def users(self, actor: str, text: str = "", page: int = 1) -> dict[str, Any]:
        """{users: [{user_id, name, email, picture, created_at, last_seen, is_admin, removed,
        presence, connections}], page, has_more}, by name."""

        async def work(connection: AsyncConnection) -> list[Any]:
            await need_admin(connection.execute, actor)
            first = (page - 1) * PAGE
            return await overview.list_users(connection.execute, text.strip(), first, PAGE + 1)

        rows = await self._core.database.read(work)
        opened = Counter(one.user_id for one in self._live.connections())
        users = [self._user(row, opened[row.id]) for row in rows[:PAGE]]
        return {"users": users, "page": page, "has_more": len(rows) > PAGE}

    def _user(self, row: Any, connections: int) -> dict[str, Any]:
        return {
            "user_id": row.id,
            "name": row.name,
            "email": row.email,
            "picture": picture_url(row.picture),
            "created_at": rfc3339(row.created_at),
            "last_seen": rfc3339(row.last_seen) if row.last_seen is not None else None,
            "is_admin": row.is_admin,
            "removed": row.removed_at is not None,
            "presence": self._presence.state(row.id),
            "connections": connections,
        }

    async def chats(self, actor: str, text: str = "", page: int = 1) -> dict[str, Any]:
        """{chats: [{chat_id, kind, title (of a direct chat the two names), public, created_at,
        members, messages, last_message_at}], page, has_more}, the newest first."""

        async def work(connection: AsyncConnection) -> tuple[list[Any], dict[str, list[str]]]:
            fetch = connection.execute
            await need_admin(fetch, actor)
            rows = await overview.list_chats(fetch, text.strip(), (page - 1) * PAGE, PAGE + 1)
            direct = [row.id for row in rows if row.kind == "direct"]
            return rows, await overview.names_in(fetch, direct)

        rows, names = await self._core.database.read(work)
        chats = [_chat(row, names.get(row.id, [])) for row in rows[:PAGE]]
        return {"chats": chats, "page": page, "has_more": len(rows) > PAGE}

    async def connections(self, actor: str, page: int = 1) -> dict[str, Any]:
        """{connections: [{user_id, name, transport, address, since}], page, has_more}, the newest
        first."""
        opened = sorted(self._live.connections(), key=lambda one: -one.opened_at)
        first = (page - 1) * PAGE
        shown = opened[first : first + PAGE]

        async def work(connection: AsyncConnection) -> dict[str, str]:
            await need_admin(connection.execute, actor)
            return await overview.names_of(connection.execute, {one.user_id for one in shown})

        names = await self._core.database.read(work)
        listed = [_connection(one, names.get(one.user_id, "")) for one in shown]
        return {"connections": listed, "page": page, "has_more": len(opened) > first + PAGE}


def _chat(row: Any, names: list[str]) -> dict[str, Any]:
    return {
        "chat_id": row.id,
        "kind": row.kind,
        "title": row.title or ", ".join(names),
        "public": row.public,
        "created_at": rfc3339(row.created_at),
        "members": row.members,
        "messages": row.messages,
        "last_message_at": row.last_message_at,
    }


def _connection(one: Connection, name: str) -> dict[str, Any]:
    return {
        "user_id": one.user_id,
        "name": name,
        "transport": one.transport,
        "address": one.address,
        "since": rfc3339(one.opened_at),
    }
