"""Removing a person: what they wrote and their name go out of the log; their id stays, for what
others did with them refers to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from quartchat.chat import bell
from quartchat.chat.core import Core
from quartchat.chat.redaction import without_person
from quartchat.errors import Conflict, UserNotFound
from quartchat.events import ALL, DELETED_USER, Draft, chat_topic, rfc3339, user_topic
from quartchat.store import accounts, log, marks, messages, people, pictures, rooms
from quartchat.store.writer import Transaction

BREATH = 200  # events between two moments in which others may run


@dataclass(frozen=True, slots=True)
class Named:
    """The events up to `head` in whose data somebody's id stands."""

    ids: frozenset[int]
    head: int


async def named(core: Core, user_id: str) -> Named:
    """Looked for before the transaction, because all of the log is read for it."""
    state = await core.database.read(log.state)
    found = await core.database.read(lambda c: log.mentioning(c.execute, user_id))
    return Named(frozenset(id_ for id_ in found if id_ <= state.head), state.head)


async def remove_in(tx: Transaction, user_id: str, before: Named) -> list[str]:
    """Remove the account: logins end, chats are left, messages are redacted, together with the
    `user_removed` that says so. The ids of the logins that ended. Raises UserNotFound, Conflict
    (the only administrator)."""
    person = await people.by_id(tx.fetch, user_id)
    if person is None or person.removed_at is not None:
        raise UserNotFound
    if person.is_admin and not await people.other_admin(tx.fetch, user_id):
        raise Conflict("This is the only administrator; make another one first.")
    logins = await accounts.logins(tx.fetch, user_id)
    heirs = await _heirs(tx, user_id)
    said = await messages.ids_by(tx.fetch, user_id)
    carriers = before.ids | {int(id_) for id_ in said}
    carriers |= await marks.traced_by(tx.fetch, user_id)
    carriers |= set(await log.mentioning(tx.fetch, user_id, before.head))
    events = [event async for event in log.by_ids(tx.fetch, carriers)]
    replies = await messages.replies_to_sender(tx.fetch, user_id)
    told = [await bell.reading_of_messages(tx, some) for some in _portions(said)]
    _leave(tx, user_id, heirs)
    tx.append(Draft(ALL, "user_removed", {"user_id": user_id, "timestamp": rfc3339(tx.now)}))
    for tell in told:
        tell()
    for number, event in enumerate(events):
        less = without_person(event, user_id, said)
        if less != event.fields():
            tx.redact(event, less)
        if number % BREATH == 0:
            await asyncio.sleep(0)
    for reply in replies:
        quote = {**messages.decode(reply.quote), "excerpt": "", "deleted": True}
        quoted = messages.encode({**quote, "sender_name": DELETED_USER})
        messages.change(tx, reply.event_id, quote=quoted)
    accounts.take_rows(tx, user_id)
    pictures.forget_unused(tx, person.picture)
    return logins


def _portions(message_ids: Iterable[str]) -> Iterator[list[int]]:
    """No more ids in a query than a database takes."""
    ids = iter(message_ids)
    while some := [int(id_) for id_ in islice(ids, log.IDS_AT_ONCE)]:
        yield some


async def _heirs(tx: Transaction, user_id: str) -> dict[str, str | None]:
    """The groups of theirs: chat id -> who becomes its owner, if they were."""
    return {
        row.chat_id: await rooms.heir(tx.fetch, row.chat_id, user_id)
        if row.role == "owner"
        else None
        for row in await accounts.groups(tx.fetch, user_id)
    }


def _leave(tx: Transaction, user_id: str, heirs: dict[str, str | None]) -> None:
    for chat_id, heir in heirs.items():
        data = {"user_id": user_id, "chat_id": chat_id, "name": DELETED_USER, "by": user_id}
        data["timestamp"] = rfc3339(tx.now)
        tx.append(Draft(chat_topic(chat_id), "user_left", data))
        tx.append(Draft(user_topic(user_id), "user_left", data))
        if heir is not None:
            rooms.set_role(tx, chat_id, heir, "owner")
            role = {"chat_id": chat_id, "user_id": heir, "role": "owner"}
            tx.append(Draft(chat_topic(chat_id), "chat_updated", role))
