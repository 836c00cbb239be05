"""Pictures of chats and people: small, square, kept once however many show them."""

from __future__ import annotations

import hashlib
from typing import Any

from quartchat.chat.core import Core
from quartchat.chat.details import for_managers, told
from quartchat.chat.profiles import standing, telling
from quartchat.errors import NotFound
from quartchat.media import shrink
from quartchat.store import people, pictures, rooms
from quartchat.store.members import picture_url
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
MIME_TYPE = "image/webp"


async def set_of_chat(core: Core, actor: str, chat_id: str, data: bytes | None) -> Ack:
    """{chat_id, event_id, picture} with the picture's address; None takes the picture away. For
    owners and admins of a group. Raises ChatNotFound, NotAMember, Forbidden, Conflict (direct
    chat), Invalid, TooLarge (field "picture")."""
    if data is not None:  # who may not should not keep a decoder busy either
        await core.database.read(lambda c: for_managers(c.execute, chat_id, actor))
    small = await shrink.square(data) if data is not None else None

    async def work(tx: Transaction) -> Ack:
        chat = await for_managers(tx.fetch, chat_id, actor)
        digest = digest_of(small)
        url = picture_url(digest)
        if digest == chat.picture:
            return {"chat_id": chat_id, "event_id": None, "picture": url}
        await _keep(tx, small)
        rooms.change(tx, chat_id, picture=digest)
        pictures.forget_unused(tx, chat.picture)
        return {**told(tx, chat_id, actor, {"picture": url}), "picture": url}

    return await core.writer.do(work)


async def set_mine(core: Core, actor: str, data: bytes | None) -> Ack:
    """{user_id, picture} with the address of one's new picture; None takes it away. Told to
    one's own connections and to friends. Raises Invalid, TooLarge (field "picture")."""
    small = await shrink.square(data) if data is not None else None

    async def work(tx: Transaction) -> Ack:
        row = await standing(tx.fetch, actor)
        digest = digest_of(small)
        if digest != row.picture:
            tell = await telling(tx, actor)
            await _keep(tx, small)
            people.change(tx, actor, picture=digest)
            pictures.forget_unused(tx, row.picture)
            tell(row.name, digest)
        return {"user_id": actor, "picture": picture_url(digest)}

    return await core.writer.do(work)


def digest_of(data: bytes | None) -> str | None:
    return hashlib.sha256(data).hexdigest()[:32] if data is not None else None


async def _keep(tx: Transaction, data: bytes | None) -> None:
    """The last to read in its transaction: what follows are changes."""
    digest = digest_of(data)
    if data is not None and digest and not await pictures.is_kept(tx.fetch, digest):
        pictures.add(tx, digest, MIME_TYPE, data)


async def get(core: Core, user_id: str, digest: str) -> Any:
    """The row (mime_type, data) of a picture that the user may see: a person's, or that of a
    chat of theirs or of a public one. Raises NotFound."""
    row = await core.database.read(lambda c: pictures.visible(c.execute, user_id, digest))
    if row is None:
        raise NotFound
    return row
