"""Files of messages: which may be sent, who may see them, all of a chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import visible
from quartchat.chat.core import Core
from quartchat.errors import AttachmentNotFound, ChatError, Invalid
from quartchat.store import files
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

Attachment = dict[str, Any]
MOST_IN_PAGE = 100


def check_number(ids: Sequence[str], most: int) -> None:
    """Raises Invalid."""
    if len(ids) > most:
        raise Invalid("A message takes at most {most} files.", field="attachments", most=most)


async def to_send(fetch: Fetch, actor: str, chat_id: str, ids: Sequence[str]) -> list[Attachment]:
    """The user's own that wait to be sent in this chat, in the order given, each once. Raises
    AttachmentNotFound."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return []
    found = await files.unsent(fetch, actor, chat_id, wanted)
    if found.keys() != set(wanted):
        raise AttachmentNotFound(field="attachments")
    return [files.data_of(found[id_]) for id_ in wanted]


async def chosen(core: Core, actor: str, chat_id: str, form: Mapping[str, Any]) -> list[Attachment]:
    """Those named by a form that are still there to be sent."""
    wanted = list(dict.fromkeys(form.get("attachments") or ()))
    if not wanted:
        return []
    found = await core.database.read(lambda c: files.unsent(c.execute, actor, chat_id, wanted))
    return [files.data_of(found[id_]) for id_ in wanted if id_ in found]


async def readable(core: Core, actor: str, attachment_id: str) -> Any:
    """The row of one that the user may see: their own, or in a message that they may read.
    Raises AttachmentNotFound: others do not learn that there is one."""

    async def work(connection: AsyncConnection) -> Any:
        row = await files.get(connection.execute, attachment_id)
        if row is None or not await _may_read(connection.execute, actor, row):
            raise AttachmentNotFound
        return row

    return await core.database.read(work)


async def _may_read(fetch: Fetch, actor: str, row: Any) -> bool:
    if row.message_id is None:
        return bool(row.user_id == actor)
    try:
        chat, member = await visible.readable(fetch, actor, row.chat_id)
    except ChatError:
        return False
    return bool(row.message_id >= visible.first_seen(chat, member))


async def page(
    core: Core, actor: str, chat_id: str, *, media: bool, before: int | None, limit: int
) -> dict[str, Any]:
    """`files` of the chat, those of the newest message first: attachments with `message_id`,
    `event_id`, `sender`, `timestamp`. `media`: pictures and videos, else the rest. `limit`: of
    messages. Raises ChatNotFound, NotAMember, Banned."""

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        fetch = connection.execute
        chat, member = await visible.readable(fetch, actor, chat_id)
        first, most = visible.first_seen(chat, member), max(1, min(limit, MOST_IN_PAGE))
        rows, more = await files.page(
            fetch, chat_id, media=media, first=first, before=before, limit=most
        )
        last = rows[-1].message_id if rows else None
        return {"files": [_in_page(row) for row in rows], "before": last, "has_more": more}

    return await core.database.read(work)


def _in_page(row: Any) -> Attachment:
    return {
        **files.data_of(row),
        "message_id": str(row.message_id),
        "event_id": row.message_id,
        "sender": {"user_id": row.user_id, "name": row.sender_name},
        "timestamp": row.timestamp,
    }


async def drop_unsent(core: Core, actor: str, chat_id: str, ids: Sequence[str]) -> bool:
    """Of these, what no message has: a message was repeated, and its files with it. Whether there
    was any."""
    left = await chosen(core, actor, chat_id, {"attachments": ids})
    for one in left:
        await drop(core, actor, one["attachment_id"])
    return bool(left)


async def drop(core: Core, actor: str, attachment_id: str) -> None:
    """Take back one that was not sent. Raises AttachmentNotFound."""

    async def work(tx: Transaction) -> None:
        row = await files.get(tx.fetch, attachment_id)
        if row is None or row.user_id != actor or row.message_id is not None:
            raise AttachmentNotFound
        files.let_go_of(tx, attachment_id)

    await core.writer.do(work)
