"""Files that people send, as they come in. An attachment is there only when all of its file is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Any

from quartchat.chat.beginning import Beginning
from quartchat.chat.core import Core, new_id
from quartchat.chat.filenames import clean_name
from quartchat.chat.finishing import Finishing, outcome
from quartchat.chat.incoming import Incoming, TooMuch
from quartchat.chat.keeping import Arrived, Keeper
from quartchat.chat.lastcomer import LastComer
from quartchat.chat.quota import check_size, too_large
from quartchat.errors import (
    ChatError,
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
from quartchat.store.writer import Transaction

State = dict[str, Any]
WHOLE_AT_ONCE = 4  # of one user: what a quota leaves is known of each by itself


class Uploads:
    """`rate`: files begun per user; None: any number."""

    def __init__(
        self, core: Core, incoming: Incoming, keeper: Keeper, rate: Buckets | None
    ) -> None:
        self._core, self._incoming, self._keeper = core, incoming, keeper
        self._beginning = Beginning(core, rate)
        self._turns = LastComer()
        self._finishing = Finishing()
        self.whole_ones: dict[str, str] = {}  # those that come without a row, and whose they are

    async def begin(self, actor: str, wish: BeginUpload) -> tuple[State, bool]:
        """Its state, and whether it is new. Raises what `Beginning.upload` raises."""
        upload_id, is_new = await self._beginning.upload(actor, wish)
        return await self.state(actor, upload_id), is_new

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
            await outcome(finishing)
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
        if have < row.size:
            return None
        arrived = Arrived(row.id, row.user_id, row.chat_id, row.name)
        return self._finishing.start(row.id, self._keep(arrived))

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

    async def _keep(self, arrived: Arrived) -> None:
        """A refusal that may pass leaves an upload: it can be gone on with from what there is."""
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
        arrived, free = Arrived(new_id(), actor, chat_id, clean_name(name), upload=False), 0
        self._check_whole_ones(actor)
        self.whole_ones[arrived.id] = actor
        try:
            free = await self._beginning.whole(actor, chat_id)
            check_size(self._core, await self._incoming.append(arrived.id, 0, pieces, free))
            return await self._keeper.keep(arrived)
        except TooMuch:
            raise self._too_much(free) from None
        finally:
            await self._incoming.remove(arrived.id)
            del self.whole_ones[arrived.id]

    def _check_whole_ones(self, actor: str) -> None:
        coming = list(self.whole_ones.values()).count(actor)
        if coming >= WHOLE_AT_ONCE and not self._core.settings.no_limits:
            raise RateLimited("Several files of yours are coming in already; wait for them.")

    def _too_much(self, free: int) -> ChatError:
        full = free < self._core.settings.max_upload
        return QuotaExceeded(field="file") if full else too_large(self._core)

    async def cancel(self, actor: str, upload_id: str) -> None:
        """Nothing of it is left, unless it was sent. Raises UploadNotFound, Conflict."""
        await self._mine(actor, upload_id)
        async with self._turns.alone(upload_id):
            await self._finishing.end(upload_id)
            await self.forget(upload_id, with_attachment=True)

    async def expire(self, upload_id: str) -> None:
        """Nobody goes on with it. Raises Conflict (somebody does)."""
        async with self._turns.alone(upload_id):
            if self._finishing.get(upload_id) is None:
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
        await self._finishing.close()
