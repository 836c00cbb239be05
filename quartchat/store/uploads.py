"""Rows of files that are on their way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from quartchat.store.people import Fetch
from quartchat.store.schema import uploads
from quartchat.store.writer import Transaction

INSERT = insert(uploads)


async def get(fetch: Fetch, upload_id: str) -> Any | None:
    return (await fetch(select(uploads).where(uploads.c.id == upload_id))).one_or_none()


async def by_client_id(fetch: Fetch, user_id: str, client_id: str) -> Any | None:
    query = select(uploads).where(uploads.c.user_id == user_id, uploads.c.client_id == client_id)
    return (await fetch(query)).one_or_none()


def add(tx: Transaction, row: Mapping[str, Any]) -> None:
    tx.run(INSERT, row)


def done(tx: Transaction, upload_id: str, attachment_id: str) -> None:
    became = update(uploads).where(uploads.c.id == upload_id)
    tx.run(became.values(attachment_id=attachment_id))


def remove(tx: Transaction, upload_id: str) -> None:
    tx.run(delete(uploads).where(uploads.c.id == upload_id))


async def expired(fetch: Fetch, now: float) -> list[str]:
    """The ids of those that nobody goes on with."""
    return [row.id for row in await fetch(select(uploads.c.id).where(uploads.c.expires_at < now))]


async def known(fetch: Fetch) -> set[str]:
    return {row.id for row in await fetch(select(uploads.c.id))}
