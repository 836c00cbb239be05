"""Reading back: pages of history, single messages, pinned ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import visible
from quartchat.chat.core import Core
from quartchat.events import Event, chat_topic
from quartchat.store import log, marks, messages
from quartchat.store.people import Fetch

MAX_HISTORY = 200
NOTES = ("chat_created", "user_joined", "user_left", "system_message", "message_pinned")


@dataclass(frozen=True, slots=True)
class Span:
    """Which page of history: the newest messages, those before an event id, or after one."""

    before: int | None = None
    after: int | None = None
    limit: int = 50

    @property
    def forward(self) -> bool:
        return self.after is not None and self.before is None


async def history(core: Core, actor: str, chat_id: str, span: Span) -> dict[str, Any]:
    """A page, oldest first, with the cursor of its read. Members read what the chat allows
    them; a public room may be read by all users. Raises ChatNotFound, NotAMember."""
    return await core.database.read(lambda c: read_history(c, actor, chat_id, span))


async def read_history(
    connection: AsyncConnection, actor: str, chat_id: str, span: Span
) -> dict[str, Any]:
    """The same, as part of a read of more."""
    chat, member = await visible.readable(connection.execute, actor, chat_id)
    rows, more = await messages.page(
        connection.execute,
        chat_id,
        first=visible.first_seen(chat, member),
        before=span.before,
        after=span.after,
        limit=max(1, min(span.limit, MAX_HISTORY)),
    )
    page = {
        "messages": await shown(connection.execute, rows, actor),
        "before": rows[0].event_id if rows else None,
        "after": rows[-1].event_id if rows else None,
        "has_more": more,
        "cursor": (await log.state(connection)).head,
    }
    return page if member else _as_stranger(page)


async def shown(fetch: Fetch, rows: Sequence[Any], reader: str) -> list[dict[str, Any]]:
    """Rows of messages (with senders) as they are shown to one: `new_message.data` with
    `event_id`, and `edited_at`, `deleted`, `reactions`, `pinned` where there is something to
    say."""
    put_on = await marks.of(fetch, [row.event_id for row in rows], reader)
    return [
        {**messages.data_of(row), "event_id": row.event_id, **put_on.get(row.event_id, {})}
        for row in rows
    ]


async def read_timeline(
    connection: AsyncConnection, actor: str, chat_id: str, span: Span
) -> tuple[dict[str, Any], list[Event]]:
    """A page of history, and the comings and goings (as far as the log keeps them) between
    its messages: what somebody would have on the page who had been there."""
    page = await read_history(connection, actor, chat_id, span)
    chat, member = await visible.readable(connection.execute, actor, chat_id)
    first = visible.first_seen(chat, member)
    above, upto = first - 1, page["cursor"]
    if span.forward:
        above = max(above, span.after or 0)
        upto = page["after"] if page["has_more"] else upto
    else:
        upto = span.before - 1 if span.before is not None else upto
        above = page["before"] - 1 if page["has_more"] else above
    notes = await log.between(connection, chat_topic(chat_id), NOTES, above, upto)
    return page, [note for note in notes if _is_about(note) >= first]


def _is_about(note: Event) -> int:
    """The id of the message that was pinned, or of the event itself."""
    pinned = note.type == "message_pinned"
    return int(note.fields()["message_id"]) if pinned else note.id or 0


async def one(core: Core, actor: str, message_id: str) -> dict[str, Any]:
    """A message of a chat of the user's. Raises MessageNotFound."""

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        _, _, row = await visible.message(connection.execute, actor, message_id)
        return (await shown(connection.execute, [row], actor))[0]

    return await core.database.read(work)


async def pinned(core: Core, actor: str, chat_id: str) -> dict[str, Any]:
    """`messages`: the pinned ones that the user may read, the newest pin first."""

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        fetch = connection.execute
        chat, member = await visible.readable(fetch, actor, chat_id)
        ids = await marks.pinned_in(fetch, chat_id)
        rows = await messages.by_events(fetch, ids)
        first = visible.first_seen(chat, member)
        seen = [rows[id_] for id_ in ids if id_ in rows and id_ >= first]
        page = {"messages": await shown(fetch, seen, actor)}
        return page if member else _as_stranger(page)

    return await core.database.read(work)


async def starting(core: Core, actor: str, chat_id: str, timestamp: str) -> int | None:
    """The id of the first message of this time (RFC 3339, UTC) or later; None: nothing so new.
    Raises ChatNotFound, NotAMember."""

    async def work(connection: AsyncConnection) -> int | None:
        await visible.readable(connection.execute, actor, chat_id)
        return await messages.first_since(connection.execute, chat_id, timestamp)

    return await core.database.read(work)


def _as_stranger(page: dict[str, Any]) -> dict[str, Any]:
    """As somebody sees it who has not joined: without addresses."""
    for message in page["messages"]:
        message["sender"].pop("email", None)
    return page
