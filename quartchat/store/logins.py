"""Rows of logins."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quartchat.store.people import Fetch
from quartchat.store.schema import login_sessions

MOST = 100


async def open_ones(fetch: Fetch, user_id: str, now: float) -> list[Any]:
    """The user's logins that are good now, the one that was used last first: rows with id,
    rotated_at (when it was used last, or a few minutes before) and expires_at."""
    query = (
        select(login_sessions.c.id, login_sessions.c.rotated_at, login_sessions.c.expires_at)
        .where(
            login_sessions.c.user_id == user_id,
            login_sessions.c.revoked.is_(False),
            login_sessions.c.expires_at > now,
        )
        .order_by(login_sessions.c.rotated_at.desc())
        .limit(MOST)
    )
    return list(await fetch(query))
