"""The log's rows: pages after a cursor, by topic; its state; trimming."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.events import Event, encode_data
from quartchat.store.people import Fetch
from quartchat.store.schema import events, log_state
from quartchat.store.writer import Transaction

NO_END = 2**53
MOST_BETWEEN = 200
IDS_AT_ONCE = 500
TOPICS_AT_ONCE = 200  # SQLite takes 500 terms in a compound SELECT
_COLUMNS = (events.c.id, events.c.topic, events.c.type, events.c.data)


@dataclass(frozen=True, slots=True)
class State:
    """`head`: the newest id given out. `floor`: the newest id that is no longer kept."""

    head: int
    floor: int


async def state(connection: AsyncConnection) -> State:
    row = (await connection.execute(select(log_state.c.head, log_state.c.floor))).one()
    return State(row.head, row.floor)


async def after(
    connection: AsyncConnection, starts: Mapping[str, int], limit: int, upto: int = NO_END
) -> list[Event]:
    """The next `limit` events of the topics, each after its own start and none above `upto`,
    in id order.

    One short index scan per topic: the cost follows what is answered, not the log's size.
    """
    topics = list(starts.items())
    found: list[Event] = []
    for first in range(0, len(topics), TOPICS_AT_ONCE):
        some = topics[first : first + TOPICS_AT_ONCE]
        scans = [_scan(topic, start, upto, limit) for topic, start in some]
        query = union_all(*scans) if len(scans) > 1 else scans[0]
        found += [event_of(row) for row in await connection.execute(query)]
    return sorted(found, key=lambda event: event.id or 0)[:limit]


def _scan(topic: str, start: int, upto: int, limit: int) -> Select[Any]:
    scan = select(*_COLUMNS).where(
        events.c.topic == topic, events.c.id > start, events.c.id <= upto
    )
    inner = scan.order_by(events.c.id).limit(limit).subquery()
    return select(inner)


async def everything(connection: AsyncConnection, start: int, limit: int) -> list[Event]:
    """The next events of all topics: for a process that follows what others wrote."""
    query = select(*_COLUMNS).where(events.c.id > start).order_by(events.c.id).limit(limit)
    return [event_of(row) for row in await connection.execute(query)]


async def between(
    connection: AsyncConnection, topic: str, types: Collection[str], above: int, upto: int
) -> list[Event]:
    """The newest `MOST_BETWEEN` events of these types of a topic, in id order."""
    query = select(*_COLUMNS).where(
        events.c.topic == topic,
        events.c.id > above,
        events.c.id <= upto,
        events.c.type.in_(list(types)),
    )
    newest = query.order_by(events.c.id.desc()).limit(MOST_BETWEEN)
    return [event_of(row) for row in await connection.execute(newest)][::-1]


async def mentioning(fetch: Fetch, id_: str, above: int = 0) -> list[int]:
    """The ids of all events above this one whose data holds this user's id; reads all of them."""
    text = encode_data(id_).decode()
    query = select(events.c.id).where(
        events.c.id > above, events.c.data.contains(text, autoescape=True)
    )
    return [row.id for row in await fetch(query)]


async def by_ids(fetch: Fetch, ids: Collection[int]) -> AsyncIterator[Event]:
    """These events, in id order."""
    wanted = sorted(ids)
    for first in range(0, len(wanted), IDS_AT_ONCE):
        some = wanted[first : first + IDS_AT_ONCE]
        query = select(*_COLUMNS).where(events.c.id.in_(some)).order_by(events.c.id)
        for row in list(await fetch(query)):
            yield event_of(row)


def event_of(row: Any) -> Event:
    return Event(row.id, row.topic, row.type, row.data.encode())


async def trim(transaction: Transaction, upto: int) -> None:
    """Take away all events up to this id; cursors below it get `reset` from now on."""
    newest = min(upto, transaction.head)
    transaction.floor = max(transaction.floor, newest)
    transaction.run(update(log_state).values(floor=newest).where(log_state.c.floor < newest))
    transaction.run(delete(events).where(events.c.id <= newest))
