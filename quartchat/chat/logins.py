"""Logins: each is one family of refresh tokens, of which one at a time is good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, insert, select, update

from quartchat.auth.refresh import RefreshTokens
from quartchat.auth.tokens import Identity, Tokens
from quartchat.chat.core import Core, new_id
from quartchat.chat.people import ensure
from quartchat.errors import Unauthenticated
from quartchat.store.people import by_id
from quartchat.store.schema import login_sessions
from quartchat.store.writer import Transaction

DAY = 86_400
# A browser repeats a request whose answer got lost, and two tabs may renew at once: within
# this time the token before the last one, come by cookie, is answered like the last one.
GRACE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Grant:
    user_id: str
    name: str
    access_token: str
    refresh_token: str
    expires_in: int
    session_id: str

    def answer(self) -> dict[str, Any]:
        return {
            "user_id": self.user_id,
            "name": self.name,
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_in": self.expires_in,
        }


class Logins:
    """`revoked(session_id)` and `renewed(session_id, expires_at)` are called after the commit."""

    def __init__(
        self,
        core: Core,
        tokens: Tokens,
        refresh: RefreshTokens,
        revoked: Callable[[str], None],
        renewed: Callable[[str, float], None],
    ) -> None:
        self._core, self._tokens, self._refresh = core, tokens, refresh
        self._revoked, self._renewed = revoked, renewed

    async def start(self, user: Any) -> Grant:
        row = {
            "id": new_id(),
            "user_id": user.id,
            "generation": 1,
            "rotated_at": self._core.clock(),
            "expires_at": self._core.clock() + self._core.settings.refresh_token_days * DAY,
            "revoked": False,
        }

        async def work(transaction: Transaction) -> None:
            transaction.run(insert(login_sessions), row)

        await self._core.writer.do(work)
        return self._grant(user, row["id"], 1)

    async def refresh(self, token: str, *, by_cookie: bool = False) -> Grant:
        """A new pair of tokens. Raises Unauthenticated; reuse of an old token ends the login."""
        session_id, generation = self._refresh.parse(token)
        outcome = await self._core.writer.do(
            lambda transaction: self._rotate(transaction, session_id, generation, by_cookie)
        )
        if outcome is None:
            self._revoked(session_id)
            raise Unauthenticated("This refresh token was used before; log in again.")
        user, newest = outcome
        self._renewed(session_id, self._core.clock() + self._core.settings.access_token_seconds)
        return self._grant(user, session_id, newest)

    async def _rotate(
        self, transaction: Transaction, session_id: str, generation: int, by_cookie: bool
    ) -> tuple[Any, int] | None:
        row = await _session(transaction, session_id)
        user = await by_id(transaction.fetch, row.user_id) if row else None
        if row is None or user is None or row.revoked or row.expires_at <= transaction.now:
            raise Unauthenticated("This login has ended; log in again.")
        fresh = by_cookie and transaction.now - row.rotated_at <= GRACE_SECONDS
        if generation == row.generation - 1 and fresh:
            return user, row.generation
        mine = login_sessions.c.id == session_id
        if generation != row.generation:
            transaction.run(update(login_sessions).where(mine).values(revoked=True))
            return None
        values = {"generation": generation + 1, "rotated_at": transaction.now}
        transaction.run(update(login_sessions).where(mine).values(**values))
        return user, generation + 1

    def _grant(self, user: Any, session_id: str, generation: int) -> Grant:
        seconds = self._core.settings.access_token_seconds
        access = self._tokens.issue(user.id, user.name, session_id, seconds)
        refresh = self._refresh.make(session_id, generation)
        return Grant(user.id, user.name, access, refresh, seconds, session_id)

    async def end(self, session_id: str) -> None:
        """Log out: the tokens of this login are good no more, its open streams end."""

        async def work(transaction: Transaction) -> None:
            mine = login_sessions.c.id == session_id
            transaction.run(update(login_sessions).where(mine).values(revoked=True))

        await self._core.writer.do(work)
        self._revoked(session_id)

    async def end_others(self, user_id: str, but: str | None) -> None:
        """End all logins of the user except one: whoever else knew the password is out."""

        async def work(transaction: Transaction) -> list[str]:
            theirs = and_(
                login_sessions.c.user_id == user_id,
                login_sessions.c.revoked.is_(False),
                login_sessions.c.id != (but or ""),
            )
            rows = await transaction.fetch(select(login_sessions.c.id).where(theirs))
            ended = [row.id for row in rows]
            transaction.run(update(login_sessions).where(theirs).values(revoked=True))
            return ended

        for session_id in await self._core.writer.do(work):
            self._revoked(session_id)

    def session_of(self, token: str) -> str | None:
        """The login that a refresh token belongs to, if it was made here."""
        try:
            return self._refresh.parse(token)[0]
        except Unauthenticated:
            return None

    async def identify(self, token: str) -> Identity:
        """Whose token this is, if it is good, its login was not ended, and the user exists."""
        identity = self._tokens.verify(token)
        await ensure(self._core, identity)
        await self.check(identity)
        return identity

    async def check(self, identity: Identity) -> None:
        session_id = identity.session_id
        if session_id is None or not identity.is_own:
            return
        query = select(login_sessions.c.revoked).where(login_sessions.c.id == session_id)
        found = await self._core.database.read(lambda c: c.execute(query))
        if found.scalar_one_or_none() is not False:
            raise Unauthenticated("This login has ended; log in again.")


async def _session(transaction: Transaction, session_id: str) -> Any | None:
    query = select(login_sessions).where(login_sessions.c.id == session_id)
    return (await transaction.fetch(query)).one_or_none()
