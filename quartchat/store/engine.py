"""Engines and transactions. What differs between databases stands in a `Dialect`; the one
for SQLite is here, and a second store joins by one more entry in `DIALECTS`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from quartchat.errors import Unavailable

T = TypeVar("T")
MOST_WAITING = 2000  # reads that may queue; beyond, the server says that it is overloaded
READERS = 4  # connections (each a thread with SQLite) that only read


@dataclass(frozen=True, slots=True)
class Dialect:
    """`begin_read` must open a snapshot that does not move; `begin_write` the lock under which
    ids are given out."""

    begin_read: str
    begin_write: str
    prepare: Callable[[Engine], None]


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # transactions are begun by us, see `_begin`
        cursor = dbapi.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=10000",
            "foreign_keys=ON",
            "secure_delete=ON",  # what was deleted is overwritten in the file, too
            "cache_size=-4000",
            "journal_size_limit=16777216",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


DIALECTS = {"sqlite": Dialect("BEGIN", "BEGIN IMMEDIATE", _prepare_sqlite)}


class Database:
    """One pool for readers, one connection for the writer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._reads: set[asyncio.Task[Any]] = set()
        self._turns = asyncio.Semaphore(READERS)
        self._waiting = 0
        dialect = DIALECTS[url.partition(":")[0].partition("+")[0]]
        self._reader = self._engine(dialect, dialect.begin_read, READERS)
        self._writer = self._engine(dialect, dialect.begin_write, 1)

    @classmethod
    def sqlite(cls, path: Path) -> Database:
        return cls(f"sqlite+aiosqlite:///{path}")

    def _engine(self, dialect: Dialect, begin: str, size: int) -> AsyncEngine:
        engine = create_async_engine(
            self.url, pool_size=size, max_overflow=0, pool_timeout=30, hide_parameters=True
        )
        dialect.prepare(engine.sync_engine)

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What `work` finds in one snapshot: all its reads see the same moment.

        It runs in a task of its own: a request that is cancelled leaves no statement behind
        on a connection that the next one gets.
        """
        if self._waiting >= MOST_WAITING:
            raise Unavailable
        self._waiting += 1
        try:
            await self._turns.acquire()  # first come, first served; who has gone does not queue
        finally:
            self._waiting -= 1
        task = asyncio.create_task(self._snapshot(work))
        self._reads.add(task)
        task.add_done_callback(self._read_done)
        return await asyncio.shield(task)

    async def _snapshot(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self._reader.connect() as connection, connection.begin():
            return await work(connection)

    def _read_done(self, task: asyncio.Task[Any]) -> None:
        self._turns.release()
        self._reads.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone: then nobody else looks at it

    def writer(self) -> AsyncConnection:
        """The writer's connection, for the writer alone: `async with`, then `begin()`."""
        return self._writer.connect()

    async def close(self) -> None:
        await asyncio.gather(*self._reads, return_exceptions=True)
        await self._reader.dispose()
        await self._writer.dispose()
