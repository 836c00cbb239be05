"""Rows of pictures, and who shows which."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, delete, exists, insert, or_, select

from quartchat.store.people import Fetch
from quartchat.store.schema import chats, members, pictures, users
from quartchat.store.writer import Transaction

INSERT = insert(pictures)


async def visible(fetch: Fetch, user_id: str, digest: str) -> Any | None:
    """The picture's row, if somebody's profile shows it, or a chat that the user may see."""
    mine = select(members.c.chat_id).where(members.c.user_id == user_id)
    in_chat = and_(chats.c.picture == digest, or_(chats.c.public, chats.c.id.in_(mine)))
    seen = or_(exists().where(users.c.picture == digest), exists().where(in_chat))
    return (await fetch(select(pictures).where(pictures.c.digest == digest, seen))).one_or_none()


async def is_kept(fetch: Fetch, digest: str) -> bool:
    query = select(pictures.c.digest).where(pictures.c.digest == digest)
    return (await fetch(query)).first() is not None


def add(tx: Transaction, digest: str, mime_type: str, data: bytes) -> None:
    row = {"digest": digest, "mime_type": mime_type, "data": data}
    tx.run(INSERT, {**row, "created_at": tx.now})


def forget_unused(tx: Transaction, digest: str | None) -> None:
    """Delete a picture that nothing shows any more; called after the change that took it away."""
    if digest is None:
        return
    shown = or_(
        exists().where(users.c.picture == digest), exists().where(chats.c.picture == digest)
    )
    tx.run(delete(pictures).where(pictures.c.digest == digest, ~shown))
