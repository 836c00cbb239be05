"""Telling those who share a small chat with somebody that they came, went away, or left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import Core
from quartchat.events import ephemeral, user_topic
from quartchat.store import presence

log = structlog.get_logger("quartchat.presence")
AT_ONCE = 50


class Comings:
    """A thousand who come at once are no thousand reads at once, and who has come and gone
    before it was told is not told of."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._untold: dict[str, str] = {}
        self._told: dict[str, str] = {}  # of those who are here
        self._telling: asyncio.Task[None] | None = None

    def tell(self, type_: str, user_id: str) -> None:
        """`type_`: "user_online", "user_away" or "user_offline"."""
        self._untold[user_id] = type_
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._untold:
            some = list(self._untold)[:AT_ONCE]
            taken = [(user_id, self._untold.pop(user_id)) for user_id in some]
            news = {user_id: type_ for user_id, type_ in taken if self._is_new(user_id, type_)}
            if news:
                await self._signal(news)

    def _is_new(self, user_id: str, type_: str) -> bool:
        before = self._told.pop(user_id, "user_offline")
        if type_ != "user_offline":
            self._told[user_id] = type_
        return before != type_

    async def _signal(self, news: Mapping[str, str]) -> None:
        async def work(connection: AsyncConnection) -> dict[str, list[str]]:
            return {who: await presence.acquaintances(connection.execute, who) for who in news}

        try:
            others = await self._core.database.read(work)
        except Exception as error:  # a signal may be lost, and nobody waits for this one
            log.warning("presence_lost", error=type(error).__name__)
            return
        for user_id, type_ in news.items():
            for other in others[user_id]:  # once each, however many chats they share
                self._core.bus.signal(ephemeral(type_, {"user_id": user_id}, user_topic(other)))

    async def close(self) -> None:
        self._untold.clear()
        if self._telling is not None:
            await self._telling
