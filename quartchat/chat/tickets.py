"""Single-use tickets: for clients that cannot send a header, a minute's secret in a URL."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, insert, select

from quartchat.auth.tokens import Identity
from quartchat.chat.core import Core
from quartchat.errors import Unauthenticated
from quartchat.store.schema import tickets
from quartchat.store.writer import Transaction

USED = "This ticket was used already or is too old; ask for a new one."


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


async def make(core: Core, identity: Identity) -> str:
    """A ticket for the caller, good once, for `ticket_seconds`."""
    ticket = secrets.token_urlsafe(24)

    async def work(transaction: Transaction) -> None:
        transaction.run(delete(tickets).where(tickets.c.expires_at < transaction.now))
        row = {
            "digest": _digest(ticket),
            "user_id": identity.user_id,
            "session_id": identity.session_id,
            "token_expires_at": identity.expires_at,
            "expires_at": transaction.now + core.settings.ticket_seconds,
        }
        transaction.run(insert(tickets), row)

    await core.writer.do(work)
    return ticket


async def use(core: Core, ticket: str) -> Identity:
    """Whose ticket this was. Raises Unauthenticated when it was used, is too old or unknown."""
    digest = _digest(ticket)
    known = select(tickets.c.digest).where(tickets.c.digest == digest)
    found = await core.database.read(lambda c: c.execute(known))
    if found.first() is None:  # a guess costs no write
        raise Unauthenticated(USED)

    async def work(transaction: Transaction) -> Identity | None:
        query = select(tickets).where(tickets.c.digest == digest)
        row = (await transaction.fetch(query)).one_or_none()
        if row is None or row.expires_at < transaction.now:
            return None
        transaction.run(delete(tickets).where(tickets.c.digest == digest))
        return Identity(row.user_id, None, row.token_expires_at, row.session_id, is_own=True)

    identity = await core.writer.do(work)
    if identity is None:
        raise Unauthenticated(USED)
    return identity
