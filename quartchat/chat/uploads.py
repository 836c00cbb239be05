"""Files that people send, as they come in. An attachment is there only when all of its file is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Any

from quartchat.chat.core import Core, chat_and_member, check_client_id, new_id
from quartchat.chat.filenames import clean_name
from quartchat.chat.incoming import Incoming, TooMuch
from quartchat.chat.keeping import Arrived, Keeper
from quartchat.chat.lastcomer import LastComer
from quartchat.chat.quota import check_room, check_size, room, too_large
from quartchat.errors import (
    ChatError,
    Conflict,
    OffsetMismatch,
    QuotaExceeded,
    RateLimited,
    StorageFull,
    TooLarge,
    UploadNotFound,
)
from quartchat.limits import Buckets
from quartchat.protocol import BeginUpload
from quartchat.store import files, uploads
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

State = dict[str, Any]
DAYS_OPEN = 3  # how long an upload can be gone on with


class Uploads:
    """`rate`: files begun per user; None: any number."""

    def __init__(
        self, core: Core, incoming: Incoming, keeper: Keeper, rate: Buckets | None
    ) -> None:
        self._core, self._incoming, self._keeper, self._rate = core, incoming, keeper, rate
        self._turns = LastComer()
        self._finishing: dict[str, asyncio.Task[Any]] = {}
        self.whole_ones: set[str] = set()  # names of those that come without a row

    async def begin(self, actor: str, wish: BeginUpload) -> tuple[State, bool]:
        """An upload's state, and whether it is new: the same `client_id` again gives the same
        one. Raises Invalid, TooLarge, QuotaExceeded, RateLimited, ChatNotFound, NotAMember,
        Conflict."""
        check_client_id(wish.client_id)
        check_size(self._core, wish.size)
        new = new_id()
        upload_id = await self._core.writer.do(lambda tx: self._begin(tx, new, actor, wish))
        return await self.state(actor, upload_id), upload_id == new

    async def _begin(self, tx: Transaction, new: str, actor: str, wish: BeginUpload) -> str:
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

    async def state(self, actor: str, upload_id: str) -> State:
        """{upload_id, name, offset, size, url, expires_at, attachment}: `offset` bytes have come,
        it ends at a Unix second; `attachment` is null until all have, and were examined. Whoever
        asks goes on from there: a request that still receives gives way. Raises UploadNotFound,
        Conflict."""
        await self._mine(actor, upload_id)
        async with self._turns.alone(upload_id):
            return await self._state(actor, upload_id)

    async def _state(self, actor: str, upload_id: str) -> State:
        have = await self._incoming.size((await self._mine(actor, upload_id)).id)
        row, found = await self._mine(actor, upload_id), None  # all may have come meanwhile
        if row.attachment_id:
            found = await self._core.database.read(
                lambda c: files.get(c.execute, row.attachment_id)
            )
        return {
            "upload_id": row.id,
            "name": row.name,
            "offset": row.size if found else have,
            "size": row.size,
            "url": f"/api/uploads/{row.id}",
            "expires_at": row.expires_at,
            "attachment": files.data_of(found) if found else None,
        }

    async def _mine(self, actor: str, upload_id: str) -> Any:
        row = await self._core.database.read(lambda c: uploads.get(c.execute, upload_id))
        if row is None or row.user_id != actor:
            raise UploadNotFound
        return row

    async def take(
        self, actor: str, upload_id: str, offset: int, pieces: AsyncIterable[bytes]
    ) -> State:
        """Takes in what comes from `offset` on; with the last byte the file is examined. Raises
        UploadNotFound, OffsetMismatch, TooLarge, StorageFull, Conflict, and what `Keeper.keep`
        raises; after those that are for good nothing of the upload is left."""
        row, finishing = await self._mine(actor, upload_id), self._finishing.get(upload_id)
        if finishing is None and not row.attachment_id:
            async with self._turns.alone(upload_id):
                finishing = await self._receive(await self._mine(actor, upload_id), offset, pieces)
        if finishing is not None:
            await _ended(finishing)
        return await self._state(actor, upload_id)

    async def _receive(
        self, row: Any, offset: int, pieces: AsyncIterable[bytes]
    ) -> asyncio.Task[Any] | None:
        """What is to be waited for, once all has come."""
        finishing = self._finishing.get(row.id)
        if finishing is not None or row.attachment_id:
            return finishing
        have = await self._incoming.size(row.id)
        if offset != have:
            raise OffsetMismatch(have)
        if have < row.size:
            have = await self._append(row, offset, pieces)
        return self._finish(row) if have == row.size else None

    async def _append(self, row: Any, offset: int, pieces: AsyncIterable[bytes]) -> int:
        try:
            return await self._incoming.append(row.id, offset, pieces, row.size)
        except TooMuch:
            raise TooLarge(
                "More came than the {size:,} bytes that were announced.", size=row.size
            ) from None
        except StorageFull:
            await self.forget(row.id)
            raise

    def _finish(self, row: Any) -> asyncio.Task[Any]:
        """Goes on to the end, also if whoever asked for it has gone."""
        arrived = Arrived(row.id, row.user_id, row.chat_id, row.name)
        task = self._finishing[row.id] = asyncio.create_task(self._keep(arrived))
        task.add_done_callback(lambda _: self._finished(row.id, task))
        return task

    def _finished(self, upload_id: str, task: asyncio.Task[Any]) -> None:
        del self._finishing[upload_id]
        if not task.cancelled():
            task.exception()  # looked at: perhaps nobody waits any more

    async def _keep(self, arrived: Arrived) -> None:
        """A refusal that may pass leaves an upload as it is: it can be finished later."""
        try:
            await self._keeper.keep(arrived)
        except ChatError as error:
            if isinstance(error, StorageFull) or not error.retryable:
                await self.forget(arrived.id)
            raise

    async def whole(
        self, actor: str, chat_id: str, name: str, pieces: AsyncIterable[bytes]
    ) -> dict[str, Any]:
        """The attachment of a file that comes in one piece, its size not known before. Raises
        what `begin` and `take` raise; nothing is left then."""
        self._check_rate(actor)
        free = await self._core.database.read(lambda c: self._free(c.execute, actor, chat_id))
        arrived = Arrived(new_id(), actor, chat_id, clean_name(name), upload=False)
        self.whole_ones.add(arrived.id)
        try:
            check_size(self._core, await self._incoming.append(arrived.id, 0, pieces, free))
            return await self._keeper.keep(arrived)
        except TooMuch:
            raise self._too_much(free) from None
        finally:
            await self._incoming.remove(arrived.id)
            self.whole_ones.discard(arrived.id)

    def _too_much(self, free: int) -> ChatError:
        full = free < self._core.settings.max_upload
        return QuotaExceeded(field="file") if full else too_large(self._core)

    async def _free(self, fetch: Fetch, actor: str, chat_id: str) -> int:
        await chat_and_member(fetch, chat_id, actor)
        return await room(self._core, fetch, actor)

    async def cancel(self, actor: str, upload_id: str) -> None:
        """Nothing of it is left, unless it was sent. Raises UploadNotFound, Conflict."""
        await self._mine(actor, upload_id)
        async with self._turns.alone(upload_id):
            await _end(self._finishing.get(upload_id))
            await self.forget(upload_id, with_attachment=True)

    async def expire(self, upload_id: str) -> None:
        """Nobody goes on with it. Raises Conflict (somebody does)."""
        async with self._turns.alone(upload_id):
            if upload_id not in self._finishing:
                await self.forget(upload_id)

    async def forget(self, upload_id: str, *, with_attachment: bool = False) -> None:
        async def work(tx: Transaction) -> None:
            row = await uploads.get(tx.fetch, upload_id)
            made = await files.get(tx.fetch, row.attachment_id) if row else None
            uploads.remove(tx, upload_id)
            if with_attachment and made is not None and made.message_id is None:
                files.let_go_of(tx, made.id)

        await self._core.writer.do(work)
        await self._incoming.remove(upload_id)

    async def close(self) -> None:
        """Ends what is still being examined: it can be finished after the next start."""
        for task in list(self._finishing.values()):
            await _end(task)


async def _ended(finishing: asyncio.Task[Any]) -> None:
    """Raises what it raised, and UploadNotFound if it was cancelled."""
    await asyncio.wait([finishing])
    if finishing.cancelled():
        raise UploadNotFound
    finishing.result()


async def _end(task: asyncio.Task[Any] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
