"""Rows of what programs published with a client_id: how a repeat is known for some days."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select

from quartchat.store.people import Fetch
from quartchat.store.schema import publications
from quartchat.store.writer import Transaction

KEPT_DAYS = 7
DAY = 86_400
INSERT = insert(publications)


async def get(fetch: Fetch, publisher: str, client_id: str) -> Any | None:
    query = select(publications).where(
        publications.c.publisher == publisher, publications.c.client_id == client_id
    )
    return (await fetch(query)).one_or_none()


def add(tx: Transaction, publisher: str, client_id: str, event_id: int, topic: str) -> None:
    """Keep it, and let go of what is older than `KEPT_DAYS`."""
    old = publications.c.published_at < tx.now - KEPT_DAYS * DAY
    tx.run(delete(publications).where(old))
    row = {"publisher": publisher, "client_id": client_id, "event_id": event_id, "topic": topic}
    tx.run(INSERT, {**row, "published_at": tx.now})
