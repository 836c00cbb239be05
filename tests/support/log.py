"""The log with all that stands on it, without a server: what `app.py` puts together, smaller."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from quartchat.auth.tokens import Identity
from quartchat.bus.local import LocalBus
from quartchat.chat.core import Core
from quartchat.config import Settings
from quartchat.delivery.feed import Feed
from quartchat.delivery.scopes import Scopes
from quartchat.delivery.session import Session
from quartchat.delivery.subscriber import Subscriber, Wish
from quartchat.events import Draft, Event
from quartchat.store import log as rows
from quartchat.store import people, rooms
from quartchat.store.engine import Database
from quartchat.store.tail import Tail
from quartchat.store.writer import Transaction, Writer

# The stores that the log must hold its promises on: a second one joins by its line here,
# a function that opens a `Database` of today's schema in a data folder.
STORES: dict[str, Callable[[Path], Database]] = {
    "sqlite": lambda folder: Database.sqlite(folder / "quartchat.db"),
}
FOR_EVER = 1e12


@dataclass
class Log:
    core: Core
    database: Database
    writer: Writer
    feed: Feed
    bus: LocalBus
    announced: list[Event]

    async def append(self, *drafts: Draft) -> list[Event]:
        async def work(tx: Transaction) -> list[Event]:
            return [tx.append(draft) for draft in drafts]

        return await self.writer.do(work)

    async def kept(self) -> list[Event]:
        """All that the store keeps, oldest first."""
        return await self.database.read(lambda c: rows.everything(c, 0, 1_000_000))

    async def state(self) -> rows.State:
        return await self.database.read(rows.state)

    async def add_users(self, *names: str) -> list[str]:
        """Users whose id is their name."""

        async def work(tx: Transaction) -> list[str]:
            for name in names:
                row = {"id": name, "name": name, "email": None, "password_hash": None}
                people.add(tx, {**row, "is_admin": False, "created_at": tx.now})
            return list(names)

        return await self.writer.do(work)

    def subscriber(self, user_id: str, wish: Wish) -> Subscriber:
        identity = Identity(user_id, None, FOR_EVER, None, is_own=True)
        return Subscriber(Session(identity, "test", "", FOR_EVER), self.feed, wish, time.time)


@asynccontextmanager
async def open_log(
    folder: Path,
    *,
    store: str = "sqlite",
    clock: Callable[[], float] = time.time,
    tail_bytes: int = 2**20,
) -> AsyncIterator[Log]:
    database, bus = STORES[store](folder), LocalBus()
    scopes = Scopes(lambda user: database.read(lambda c: rooms.since(c.execute, user)))
    feed = Feed(database, Tail(tail_bytes), bus, scopes)
    announced: list[Event] = []

    def committed(transaction: Transaction) -> None:
        announced.extend(transaction.events)
        feed.committed(transaction)

    writer = Writer(database, committed, clock)
    core = Core(Settings(data=folder, no_limits=True), database, writer, bus, clock)
    try:
        await feed.start()
        writer.start()
        yield Log(core, database, writer, feed, bus, announced)
    finally:
        await writer.close()
        await database.close()


def ids(events: Iterable[Event]) -> list[int]:
    return [event.id for event in events if event.id is not None]
