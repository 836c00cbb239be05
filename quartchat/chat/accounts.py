"""What is done with the accounts of others: by an administrator (`by`: their id), or by the
operator at the command line (`by` None). Who may, is decided in the transaction that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from quartchat.auth.passwords import check_password, hash_password
from quartchat.chat import removal
from quartchat.chat.core import Core
from quartchat.chat.profiles import standing
from quartchat.chat.redaction import REMOVED
from quartchat.errors import ChatError, Conflict, Forbidden, Unauthenticated
from quartchat.store import accounts, people
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

LOGGED_OUT = "You were logged out; log in again."


class Connection(Protocol):
    """An open connection; `opened_at` in Unix seconds."""

    transport: str
    address: str
    opened_at: float

    @property
    def user_id(self) -> str: ...

    def end(self, ending: ChatError, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Live:
    """What is known of this process alone. `revoked(login id)` is called when a login ended."""

    connections: Callable[[], Iterable[Connection]]
    revoked: Callable[[str], None]
    tail_bytes: Callable[[], int]


async def need_admin(fetch: Fetch, by: str | None) -> None:
    """Raises Forbidden."""
    row = None if by is None else await people.by_id(fetch, by)
    if by is not None and (row is None or row.removed_at is not None or not row.is_admin):
        raise Forbidden("This is for administrators.")


class Accounts:
    """Each method raises Forbidden for who is no administrator, and UserNotFound."""

    def __init__(self, core: Core, live: Live) -> None:
        self._core, self._live = core, live

    async def set_admin(self, user_id: str, is_admin: bool, *, by: str | None) -> None:
        """Raises Conflict (the only administrator)."""

        async def work(tx: Transaction) -> None:
            row = await _theirs(tx, user_id, by)
            if row.is_admin and not is_admin and not await people.other_admin(tx.fetch, user_id):
                raise Conflict("This is the only administrator; make another one first.")
            people.change(tx, user_id, is_admin=is_admin)

        await self._core.writer.do(work)

    async def set_password(self, user_id: str, password: str, *, by: str | None) -> None:
        """A new password for somebody else, and the end of their logins. Raises Invalid."""
        await self._core.database.read(lambda c: need_admin(c.execute, by))
        if by == user_id:
            raise Forbidden("Change your own password in your profile.")
        check_password(password)
        hashed = await hash_password(password)

        async def work(tx: Transaction) -> list[str]:
            await _theirs(tx, user_id, by)
            ended = await accounts.logins(tx.fetch, user_id)
            accounts.end_logins(tx, user_id)
            people.change(tx, user_id, password_hash=hashed)
            return ended

        self._end(user_id, await self._core.writer.do(work), LOGGED_OUT)

    async def log_out(self, user_id: str, *, by: str | None) -> None:
        """End all logins and connections of a user."""

        async def work(tx: Transaction) -> list[str]:
            await _theirs(tx, user_id, by)
            ended = await accounts.logins(tx.fetch, user_id)
            accounts.end_logins(tx, user_id)
            return ended

        self._end(user_id, await self._core.writer.do(work), LOGGED_OUT)

    async def remove(self, user_id: str, *, by: str | None) -> None:
        """Remove the account, see removal.py. Raises Conflict (the only administrator)."""

        await self._core.database.read(lambda c: need_admin(c.execute, by))
        before = await removal.named(self._core, user_id)

        async def work(tx: Transaction) -> list[str]:
            await need_admin(tx.fetch, by)
            return await removal.remove_in(tx, user_id, before)

        self._end(user_id, await self._core.writer.do(work), REMOVED)

    def _end(self, user_id: str, logins: Iterable[str], why: str) -> None:
        for one in self._live.connections():
            if one.user_id == user_id:
                one.end(Unauthenticated(why))
        for login in logins:  # also those whose connections are just being opened
            self._live.revoked(login)


async def _theirs(tx: Transaction, user_id: str, by: str | None) -> Any:
    await need_admin(tx.fetch, by)
    return await standing(tx.fetch, user_id)
