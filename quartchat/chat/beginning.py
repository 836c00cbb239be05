"""Who may begin to send a file: members, as often and as much as there is room for."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import Core, chat_and_member, check_client_id, new_id
from quartchat.chat.filenames import clean_name
from quartchat.chat.quota import check_room, check_size, room
from quartchat.errors import Conflict, RateLimited
from quartchat.limits import Buckets
from quartchat.protocol import BeginUpload
from quartchat.store import uploads
from quartchat.store.writer import Transaction

DAYS_OPEN = 3  # how long an upload can be gone on with


class Beginning:
    """`rate`: files begun per user; None: any number."""

    def __init__(self, core: Core, rate: Buckets | None) -> None:
        self._core, self._rate = core, rate

    async def upload(self, actor: str, wish: BeginUpload) -> tuple[str, bool]:
        """An upload's id, and whether it is new: the same `client_id` again gives the same one.
        Raises Invalid, TooLarge, QuotaExceeded, RateLimited, ChatNotFound, NotAMember, Conflict."""
        check_client_id(wish.client_id)
        check_size(self._core, wish.size)
        new = new_id()
        upload_id = await self._core.writer.do(lambda tx: self._upload(tx, new, actor, wish))
        return upload_id, upload_id == new

    async def whole(self, actor: str, chat_id: str) -> int:
        """How large a file may be whose size is not known. Raises RateLimited, ChatNotFound,
        NotAMember."""
        self._check_rate(actor)

        async def work(connection: AsyncConnection) -> int:
            await chat_and_member(connection.execute, chat_id, actor)
            return await room(self._core, connection.execute, actor)

        return await self._core.database.read(work)

    async def _upload(self, tx: Transaction, new: str, actor: str, wish: BeginUpload) -> str:
        if wish.client_id:
            same = await uploads.by_client_id(tx.fetch, actor, wish.client_id)
            if same is not None and (same.chat_id, same.size) != (wish.chat_id, wish.size):
                raise Conflict("This client_id was used for another file.")
            if same is not None:
                return str(same.id)
        await chat_and_member(tx.fetch, wish.chat_id, actor)
        await check_room(self._core, tx.fetch, actor, wish.size)
        self._check_rate(actor)
        row = {"id": new, "user_id": actor, "chat_id": wish.chat_id, "size": wish.size}
        row |= {"client_id": wish.client_id, "name": clean_name(wish.name)}
        uploads.add(tx, {**row, "expires_at": tx.now + DAYS_OPEN * 86400})
        return new

    def _check_rate(self, actor: str) -> None:
        wait = 0.0 if self._rate is None else self._rate.take(actor)
        if wait:
            raise RateLimited(retry_after=wait)
