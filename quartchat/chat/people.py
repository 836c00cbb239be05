"""Users: signing up, profiles, and those whom another issuer vouches for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from sqlalchemy import update

from quartchat.auth.passwords import check_password, hash_password, verify_password
from quartchat.auth.tokens import Identity
from quartchat.chat.core import Core, is_line, new_id
from quartchat.errors import (
    Forbidden,
    Invalid,
    NameTaken,
    Unauthenticated,
    UserNotFound,
    WrongPassword,
)
from quartchat.protocol import Credentials, SignUp
from quartchat.store import people
from quartchat.store.schema import users
from quartchat.store.writer import Transaction

MAX_NAME = 40
MOST_NAMES = 200
FORBIDDEN_IN_NAMES = set("@/,")


def check_name(name: str) -> str:
    """The name without outer spaces. Raises Invalid."""
    name = name.strip()
    bad = any(char.isspace() or char in FORBIDDEN_IN_NAMES for char in name)
    if not name or len(name) > MAX_NAME or bad or not is_line(name):
        raise Invalid(
            "A name is 1 to {most} characters without spaces, commas, @ or /.",
            field="name",
            most=MAX_NAME,
        )
    return name


def check_email(email: str | None) -> str | None:
    email = (email or "").strip()
    if not email:
        return None
    local, at, domain = email.partition("@")
    if not (local and at and domain) or len(email) > 254 or " " in email or not is_line(email):
        raise Invalid("This is not an email address.", field="email")
    return email


async def sign_up(core: Core, wish: SignUp, *, first_admin: bool = False) -> Any:
    """The new user's row. `first_admin`: they proved to be the operator, and become the first
    administrator, also where sign-up is closed. Raises Forbidden, Invalid, NameTaken."""
    if not (core.settings.signup or first_admin):
        raise Forbidden("Sign-up is closed here; ask the operator for an account.")
    make = partial(create, core, wish.name, wish.password, wish.email)
    return await make(is_admin=first_admin, alone=first_admin)


async def create(
    core: Core,
    name: str,
    password: str,
    email: str | None = None,
    *,
    is_admin: bool = False,
    alone: bool = False,
) -> Any:
    """The new user's row. `alone`: only if there is no administrator yet."""
    name, email = check_name(name), check_email(email)
    check_password(password)
    user_id = new_id()
    row = {
        "id": user_id,
        "name": name,
        "email": email,
        "password_hash": await hash_password(password),
        "is_admin": is_admin,
        "created_at": core.clock(),
    }

    async def work(transaction: Transaction) -> None:
        if alone and await people.any_admin(transaction.fetch):
            raise Forbidden("This link was used: there is an administrator already.")
        if await people.by_name(transaction.fetch, name):
            raise NameTaken(field="name")
        people.add(transaction, row)

    await core.writer.do(work)
    return await get(core, user_id)


async def needs_admin(core: Core) -> bool:
    return not await core.database.read(lambda c: people.any_admin(c.execute))


async def get(core: Core, user_id: str) -> Any | None:
    return await core.database.read(lambda c: people.by_id(c.execute, user_id))


async def find(core: Core, name: str) -> Any | None:
    """The user of this name; nobody who was removed."""
    row = await core.database.read(lambda c: people.by_name(c.execute, name))
    return row if row is not None and row.removed_at is None else None


async def ids_of(core: Core, names: Sequence[str], field: str = "members") -> list[str]:
    """The ids of the users of these names. Raises UserNotFound, Invalid (too many)."""
    if len(names) > MOST_NAMES:
        raise Invalid("At most {most} names at once.", field=field, most=MOST_NAMES)
    plain = [name.strip().removeprefix("@") for name in names]
    rows = await core.database.read(lambda c: people.by_names(c.execute, plain))
    for name in plain:
        if people.name_key(name) not in rows:
            raise UserNotFound("There is nobody called {name!r} here.", field=field, name=name[:60])
    return [str(rows[people.name_key(name)].id) for name in plain]


async def log_in(core: Core, wish: Credentials) -> Any:
    """The user's row. Raises WrongPassword, after the same time whether the name exists or not."""
    row = await find(core, wish.name.strip())
    good = await verify_password(row.password_hash if row else None, wish.password)
    if row is None or not good:
        raise WrongPassword
    return row


async def change_password(core: Core, user_id: str, current: str, new: str) -> None:
    """The current one proves the person. Raises Invalid."""
    row = await get(core, user_id)
    if row is None or not await verify_password(row.password_hash, current):
        raise Invalid("This is not your current password.", field="current_password")
    check_password(new)
    password_hash = await hash_password(new)

    async def work(transaction: Transaction) -> None:
        mine = users.c.id == user_id
        transaction.run(update(users).where(mine).values(password_hash=password_hash))

    await core.writer.do(work)


async def ensure(core: Core, identity: Identity) -> None:
    """The user of a token must exist; one of the operator's own issuer is made when first seen.
    Raises Unauthenticated, also for who was removed."""
    row = await get(core, identity.user_id)
    if row is not None and row.removed_at is not None:
        raise Unauthenticated("This account was removed.")
    if row is not None:
        return
    if identity.is_own:
        raise Unauthenticated("This account does not exist any more.")
    await core.writer.do(lambda transaction: _adopt(transaction, identity))


async def _adopt(transaction: Transaction, identity: Identity) -> None:
    if await people.by_id(transaction.fetch, identity.user_id):
        return
    name = await free_name(transaction, identity.name or identity.user_id)
    row = {"id": identity.user_id, "name": name, "email": None, "password_hash": None}
    people.add(transaction, {**row, "is_admin": False, "created_at": transaction.now})


async def free_name(
    transaction: Transaction, wanted: str, taken: Collection[str] = frozenset()
) -> str:
    """The name as a valid one, with a number behind it where it (or its key, in `taken`) is."""
    kept = "".join(c for c in "-".join(wanted.split()) if c not in FORBIDDEN_IN_NAMES)
    base = "".join(c for c in kept if is_line(c))[: MAX_NAME - 5] or "user"
    name, number = base, 1
    while people.name_key(name) in taken or await people.by_name(transaction.fetch, name):
        number += 1
        name = f"{base}-{number}"
    return name
