"""The open connections of this process: their number per user, revocation, and the drain."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from quartchat.auth.tokens import Identity
from quartchat.delivery.session import Goodbye, Session
from quartchat.errors import ChatError, RateLimited, Unauthenticated

# Logins that ended lately: longer ago than it takes to open a connection they do not matter.
MOST_REVOKED = 10_000
SPREAD_MS = (200, 3000)  # clients come back at a random moment between these


class Sessions:
    """`per_user`: most connections of one user, 0 for any number."""

    def __init__(self, per_user: int) -> None:
        self._per_user = per_user
        self._open: set[Session] = set()
        self._revoked: dict[str, None] = {}
        self._users: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()
        self.draining = False
        self.on_open: Callable[[Session], None] = lambda session: None
        self.on_close: Callable[[Session], None] = lambda session: None

    @contextmanager
    def open(self, identity: Identity, transport: str, address: str) -> Iterator[Session]:
        """Raises RateLimited when the user has too many connections."""
        user = identity.user_id
        if self._per_user and self._users[user] >= self._per_user:
            raise RateLimited(
                "You have {most} connections open; close one first.",
                retry_after=5,
                most=self._per_user,
            )
        session = Session(identity, transport, address, identity.expires_at)
        self._add(session)
        try:
            yield session
        finally:
            self._remove(session)

    def _add(self, session: Session) -> None:
        self._open.add(session)
        self._empty.clear()
        self._users[session.user_id] += 1
        if self.draining:
            session.end(goodbye())
        elif session.identity.session_id in self._revoked:  # while it was on its way in
            session.end(Unauthenticated("You have logged out."))
        self.on_open(session)

    def _remove(self, session: Session) -> None:
        self._open.discard(session)
        self._users[session.user_id] -= 1
        if not self._users[session.user_id]:
            del self._users[session.user_id]
        if not self._open:
            self._empty.set()
        self.on_close(session)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._open))

    def revoke(self, session_id: str) -> None:
        """A login ended: its connections end with it, those too that are just being opened."""
        self._revoked[session_id] = None
        if len(self._revoked) > MOST_REVOKED:
            del self._revoked[next(iter(self._revoked))]
        for session in self._of(session_id):
            session.end(Unauthenticated("You have logged out."))

    def end_all_of(self, user_id: str, ending: ChatError) -> None:
        for session in self:
            if session.user_id == user_id:
                session.end(ending)

    def renew(self, session_id: str, expires_at: float) -> None:
        """A login got a new access token: its open streams go on with it."""
        for session in self._of(session_id):
            session.renew(expires_at)

    def _of(self, session_id: str) -> list[Session]:
        return [s for s in self._open if s.identity.session_id == session_id]

    async def drain(self) -> None:
        """Tell every connection to end, and return when none is left."""
        self.draining = True
        for session in self:
            session.end(goodbye())
        await self._empty.wait()


def goodbye() -> Goodbye:
    return Goodbye(random.randint(*SPREAD_MS))  # noqa: S311  (spreads load, guards nothing)
