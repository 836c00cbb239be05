"""Rows of attachments, and what of the storage they name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update

from quartchat.store.people import Fetch
from quartchat.store.schema import attachments, loose, messages, orphans, uploads, users
from quartchat.store.writer import Transaction

INSERT = insert(attachments)
_ORPHAN = insert(orphans)
_CLAIM = (
    update(attachments)
    .where(attachments.c.id == bindparam("key"))
    .values(message_id=bindparam("new_message_id"))
)
_LOOSE = insert(loose)
_NAMES = (attachments.c.digest, attachments.c.small, attachments.c.large)
MEDIA = ("image", "video")


def data_of(row: Any) -> dict[str, Any]:
    """A row as `new_message.data.attachments` has it."""
    url = f"/files/{row.id}"
    return {
        "attachment_id": row.id,
        "name": row.name,
        "kind": row.kind,
        "mime_type": row.mime_type,
        "size": row.size,
        "url": url,
        "thumbnail_url": f"{url}/small" if row.small else None,
        "preview_url": f"{url}/large" if row.large else url if row.kind == "image" else None,
        "width": row.width,
        "height": row.height,
        "duration": row.duration,
        "animated": row.animated,
        "blur": row.blur,
    }


async def get(fetch: Fetch, attachment_id: str) -> Any | None:
    return (await fetch(select(attachments).where(attachments.c.id == attachment_id))).one_or_none()


async def unsent(fetch: Fetch, user_id: str, chat_id: str, ids: Collection[str]) -> dict[str, Any]:
    """Those of the user's that wait to be sent in this chat, by their ids."""
    query = select(attachments).where(
        attachments.c.id.in_(list(ids)),
        attachments.c.user_id == user_id,
        attachments.c.chat_id == chat_id,
        attachments.c.message_id.is_(None),
    )
    return {row.id: row for row in await fetch(query)}


def add(tx: Transaction, row: Mapping[str, Any]) -> None:
    tx.run(INSERT, {**row, "created_at": tx.now, "message_id": None})


def claim(tx: Transaction, ids: Sequence[str], event_id: int) -> None:
    """They belong to this message from now on."""
    for id_ in ids:
        tx.run(_CLAIM, {"key": id_, "new_message_id": event_id})


def let_go(tx: Transaction, where: ColumnElement[bool]) -> None:
    """Delete rows of attachments, and of the uploads that they came by; what they name is looked
    at after the commit."""
    for name in _NAMES:
        known = select(loose.c.digest).where(loose.c.digest == name).exists()
        names = select(name).where(where, name.is_not(None), ~known).distinct()
        tx.run(insert(loose).from_select(["digest"], names))
    gone = select(attachments.c.id).where(where)
    tx.run(delete(uploads).where(uploads.c.attachment_id.in_(gone)))
    tx.run(delete(attachments).where(where))


def let_go_of_message(tx: Transaction, event_id: int) -> None:
    let_go(tx, attachments.c.message_id == event_id)


def let_go_of(tx: Transaction, attachment_id: str) -> None:
    let_go(tx, attachments.c.id == attachment_id)


async def old_unsent(fetch: Fetch, before: float) -> list[str]:
    """The ids of those that are older and were not sent."""
    query = select(attachments.c.id).where(
        attachments.c.message_id.is_(None), attachments.c.created_at < before
    )
    return [row.id for row in await fetch(query)]


async def loose_ones(fetch: Fetch, most: int) -> list[str]:
    return [row.digest for row in await fetch(select(loose.c.digest).limit(most))]


async def named(fetch: Fetch, digests: Collection[str]) -> set[str]:
    """Those that an attachment names."""
    found: set[str] = set()
    for name in _NAMES:
        query = select(name).where(name.in_(list(digests))).distinct()
        found |= {row[0] for row in await fetch(query)}
    return found


async def known_loose(fetch: Fetch, digests: Collection[str]) -> set[str]:
    query = select(loose.c.digest).where(loose.c.digest.in_(list(digests)))
    return {row.digest for row in await fetch(query)}


def remember_loose(tx: Transaction, digests: Collection[str]) -> None:
    for digest in digests:
        tx.run(_LOOSE, {"digest": digest})


def forget_loose(tx: Transaction, digests: Collection[str]) -> None:
    tx.run(delete(loose).where(loose.c.digest.in_(list(digests))))


async def used(fetch: Fetch, user_id: str | None = None) -> int:
    """Bytes of the files of a user, or of all, those on their way counted as if they were here."""
    total = 0
    waiting = uploads.c.attachment_id.is_(None)
    for size, where in ((attachments.c.size_stored, None), (uploads.c.size, waiting)):
        query = select(func.coalesce(func.sum(size), 0))
        if where is not None:
            query = query.where(where)
        if user_id is not None:
            query = query.where(size.table.c.user_id == user_id)
        total += int((await fetch(query)).scalar_one())
    return total


async def orphans_since(fetch: Fetch, digests: Collection[str]) -> dict[str, float]:
    """When those of them that are known as such were first seen, in Unix seconds."""
    query = select(orphans).where(orphans.c.digest.in_(list(digests)))
    return {row.digest: row.seen_at for row in await fetch(query)}


def note_orphans(tx: Transaction, digests: Collection[str]) -> None:
    for digest in digests:
        tx.run(_ORPHAN, {"digest": digest, "seen_at": tx.now})


def forget_orphans(tx: Transaction, digests: Collection[str]) -> None:
    tx.run(delete(orphans).where(orphans.c.digest.in_(list(digests))))


async def page(
    fetch: Fetch, chat_id: str, *, media: bool, first: int, before: int | None, limit: int
) -> tuple[list[Any], bool]:
    """Attachments of a chat's messages, the newest message first, in a message as they were sent;
    and whether there are more. None of messages before `first`."""
    is_media = attachments.c.kind.in_(MEDIA)
    where = [attachments.c.chat_id == chat_id, is_media if media else ~is_media]
    where.append(attachments.c.message_id >= first)
    if before is not None:
        where.append(attachments.c.message_id < before)
    # Whole messages, so that `before` passes over none.
    ids = (
        select(attachments.c.message_id)
        .where(*where)
        .distinct()
        .order_by(attachments.c.message_id.desc())
        .limit(limit + 1)
    )
    found = [row.message_id for row in await fetch(ids)]
    query = (
        select(attachments, users.c.name.label("sender_name"), messages.c.timestamp)
        .join(users, users.c.id == attachments.c.user_id)
        .join(messages, messages.c.event_id == attachments.c.message_id)
        .where(*where, attachments.c.message_id.in_(found[:limit]))
        .order_by(attachments.c.message_id.desc(), attachments.c.created_at, attachments.c.id)
    )
    return list(await fetch(query)), len(found) > limit
