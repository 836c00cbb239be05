"""The one writer of a process: group commit.

Requests hand in a piece of work and await its result; the writer runs all that wait in one
transaction, commits, publishes what was appended, and only then answers. So nobody hears
"sent" before the disk has it, a hundred senders share one sync, and a request that is
cancelled cancels no commit.

A piece of work reads first and changes after (`Transaction.fetch`, then `run` and `append`).
Its changes are collected and executed together, so one that is refused leaves nothing
behind and disturbs no other in its group. It may run twice, so it touches only its
transaction.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

import structlog
from sqlalchemy import CursorResult, Executable, Insert, bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.errors import StoreFailed, Unavailable
from quartchat.events import Draft, Event, encode_data
from quartchat.store import schema
from quartchat.store.engine import Database

T = TypeVar("T")
Row = Mapping[str, Any]
Work = Callable[["Transaction"], Awaitable[Any]]
MAX_GROUP = 512
log = structlog.get_logger("quartchat.writer")


class FlushFailed(Exception):
    """The database did not take the changes of a group; each piece of work is tried alone."""


class Transaction:
    """What a piece of work sees of the write transaction."""

    def __init__(self, connection: AsyncConnection, head: int, clock: Callable[[], float]) -> None:
        self._connection = connection
        self.previous_head = self.head = head
        self.now = clock()
        self.events: list[Event] = []
        self.redacted: list[Event] = []  # events of before that carry less now
        self.floor = 0  # the newest id that was taken away, if any was
        self._mine: list[Event] = []
        self._mine_redacted: list[Event] = []
        self._changes: list[tuple[Executable, Row]] = []
        self._pending: list[tuple[Executable, Row]] = []

    async def fetch(self, query: Executable) -> CursorResult[Any]:
        """Read, seeing all changes of earlier pieces of work. Not after an own change."""
        if self._changes or self._mine:
            raise RuntimeError("a piece of work reads before it changes")
        await self.flush()
        return await self._connection.execute(query)

    def run(self, statement: Executable, row: Row | None = None) -> None:
        """Queue an INSERT, UPDATE or DELETE."""
        self._changes.append((statement, row or {}))

    def append(self, draft: Draft) -> Event:
        """Append to the log: gives the event its id, above all that were ever given out."""
        self.head = max(self.head + 1, int(self.now * 1_000_000))
        data = draft.data(self.head) if callable(draft.data) else draft.data
        event = Event(self.head, draft.topic, draft.type, encode_data(data))
        self._mine.append(event)
        self._changes.append((_INSERT_EVENT, _row(event)))
        return event

    def redact(self, event: Event, data: Any) -> None:
        """Let an event that is in the log carry this data from now on: the one exception to
        that events do not change, for what was deleted."""
        less = Event(event.id, event.topic, event.type, encode_data(data))
        self._mine_redacted.append(less)
        self._changes.append((_REDACT_EVENT, {"key": event.id, "new_data": less.data.decode()}))

    async def attempt(self, work: Work) -> Any:
        """Run one piece of work: all its changes are kept, or none."""
        head = self.head
        try:
            result = await work(self)
        except BaseException:
            self.head = head
            self._forget()
            raise
        self.events += self._mine
        self.redacted += self._mine_redacted
        self._pending += self._changes
        self._forget()
        return result

    def _forget(self) -> None:
        self._mine, self._mine_redacted, self._changes = [], [], []

    async def flush(self) -> None:
        """Execute what is queued; inserts between two other changes go together.
        Raises FlushFailed: whose change it was, is not known any more."""
        try:
            await self._flush()
        except Exception as error:
            raise FlushFailed(f"{type(error).__name__}: {error}"[:300]) from error

    async def _flush(self) -> None:
        pending, self._pending = self._pending, []
        inserts: dict[Executable, list[Row]] = {}
        for statement, rows in _runs(pending):
            if isinstance(statement, Insert):
                inserts.setdefault(statement, []).extend(rows)
                continue
            await self._insert(inserts)
            await self._execute(statement, rows)
        await self._insert(inserts)

    async def _insert(self, inserts: dict[Executable, list[Row]]) -> None:
        """Each table's rows in one round trip, the tables in the order in which they came: what
        refers to a row is inserted after it."""
        for statement, rows in inserts.items():
            await self._execute(statement, rows)
        inserts.clear()

    async def _execute(self, statement: Executable, rows: Sequence[Row]) -> None:
        await self._connection.execute(statement, list(rows) if rows[0] else None)

    async def finish(self) -> None:
        if self.head != self.previous_head:
            await self._connection.execute(update(schema.log_state).values(head=self.head))
        await self.flush()


_INSERT_EVENT = insert(schema.events)
_REDACT_EVENT = (
    update(schema.events)
    .where(schema.events.c.id == bindparam("key"))
    .values(data=bindparam("new_data"))
)


def _row(event: Event) -> Row:
    return {"id": event.id, "topic": event.topic, "type": event.type, "data": event.data.decode()}


def _runs(changes: Sequence[tuple[Executable, Row]]) -> Iterator[tuple[Executable, list[Row]]]:
    """Changes by the same statement that follow each other, in one; those without rows singly."""
    for _, run in groupby(changes, key=lambda change: (id(change[0]), bool(change[1]))):
        together = list(run)
        rows = [row for _, row in together]
        if rows[0]:
            yield together[0][0], rows
        else:
            yield from ((statement, [row]) for statement, row in together)


class Writer:
    """`committed(transaction)`, and what is added to `on_commit`, is called after each commit,
    before anyone is told: its `events` in id order, `previous_head` the log's head before them."""

    def __init__(
        self,
        database: Database,
        committed: Callable[[Transaction], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._clock = database, clock
        self.on_commit = [committed]
        self._queue: asyncio.Queue[tuple[Work, asyncio.Future[Any]] | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="quartchat writer")

    async def close(self) -> None:
        """Commits what waits, then stops."""
        self._closed = True
        self._queue.put_nowait(None)
        if self._task is not None:
            await self._task

    async def do(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """The result of `work`, once committed. Raises what it raises; StoreFailed when the
        database could not take it."""
        if self._closed:
            raise Unavailable
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((work, future))
        return await asyncio.shield(future)

    async def _run(self) -> None:
        running = True
        while running:
            group = [await self._queue.get()]
            while len(group) < MAX_GROUP and not self._queue.empty():
                group.append(self._queue.get_nowait())
            running = None not in group
            await self._commit([item for item in group if item is not None])

    async def _commit(self, group: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        attempt = _Attempt(group)
        try:
            async with self._database.writer() as connection:
                async with connection.begin():
                    await attempt.run(connection, self._clock)
                attempt.committed = True
        except Exception as error:
            log.error("commit_failed", error=f"{type(error).__name__}: {error}"[:500])
        if attempt.committed:
            self._announce(attempt)
        elif attempt.transaction is not None and len(group) > 1:
            for item in group:  # one bad piece of work must not take the others with it
                await self._commit([item])
        else:
            attempt.fail()

    def _announce(self, attempt: _Attempt) -> None:
        """It is committed: whatever goes wrong from here on, those who wait must hear so."""
        assert attempt.transaction is not None
        try:
            for told in self.on_commit:
                told(attempt.transaction)
        except Exception:
            log.exception("announce_failed")
        attempt.answer()


class _Attempt:
    """One group on its way: `transaction` is None as long as it has not begun."""

    def __init__(self, group: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        self._group = group
        self._outcomes: list[tuple[Any, Exception | None]] = []
        self.transaction: Transaction | None = None
        self.committed = False

    async def run(self, connection: AsyncConnection, clock: Callable[[], float]) -> None:
        transaction = Transaction(connection, await _head(connection), clock)
        self.transaction = transaction
        for work, _ in self._group:
            self._outcomes.append(await _outcome(transaction, work))
        await transaction.finish()

    def answer(self) -> None:
        for (_, future), outcome in zip(self._group, self._outcomes, strict=True):
            _resolve(future, *outcome)

    def fail(self) -> None:
        for _, future in self._group:
            _resolve(future, None, StoreFailed())


async def _head(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(schema.log_state.c.head))).scalar_one())


async def _outcome(transaction: Transaction, work: Work) -> tuple[Any, Exception | None]:
    try:
        return await transaction.attempt(work), None
    except (SQLAlchemyError, FlushFailed):
        raise
    except Exception as refusal:
        return None, refusal
    except asyncio.CancelledError:  # of something that the work awaited; not of the writer
        return None, StoreFailed()


def _resolve(future: asyncio.Future[Any], result: Any, refusal: Exception | None) -> None:
    if future.done():
        return  # whoever asked has gone
    if refusal is None:
        future.set_result(result)
        return
    future.set_exception(refusal)
    future.exception()  # retrieved: it is no fault of ours if nobody listens any more
