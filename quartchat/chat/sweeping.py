"""What nothing needs any more is taken away: files of deleted messages, uploads that nobody went
on with, what a crash left."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from functools import partial

import structlog

from quartchat.chat.core import Core
from quartchat.chat.incoming import Incoming
from quartchat.chat.keeping import Keeper
from quartchat.chat.uploads import Uploads
from quartchat.errors import Conflict
from quartchat.store import files, uploads
from quartchat.store.writer import Transaction

PAUSE = 600.0  # seconds between two looks without a reason
ORPHANS_EVERY = 86400.0
UNSENT_DAYS = 7  # an outbox may be offline for so long
YOUNG = 86400.0  # seconds that stored files stay in any case
ORPHAN_DAYS = 7  # in which a database that is not the right one is noticed
AT_ONCE = 200
DELETING = frozenset({"message_deleted", "user_removed"})
log = structlog.get_logger("quartchat")


class Sweeper:
    def __init__(self, core: Core, incoming: Incoming, keeper: Keeper, going: Uploads) -> None:
        self._core, self._incoming, self._keeper, self._uploads = core, incoming, keeper, going
        self._wanted, self._one_at_a_time = asyncio.Event(), asyncio.Lock()
        self._orphans_at = 0.0

    def committed(self, transaction: Transaction) -> None:
        """Looks soon, if something was deleted."""
        if any(event.type in DELETING for event in transaction.events):
            self.wake()

    def wake(self) -> None:
        """There is something to take away."""
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wanted.clear()
            try:
                await self.sweep()
            except Exception as error:
                log.warning("sweep_failed", error=f"{type(error).__name__}: {error}"[:300])
            await self._wait()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE):
                await self._wanted.wait()

    async def sweep(self) -> None:
        """All that is there to do now; when it returns, it is done."""
        async with self._one_at_a_time:
            await self._sweep()

    async def _sweep(self) -> None:
        now, read = self._core.clock(), self._core.database.read
        for upload_id in await read(lambda c: uploads.expired(c.execute, now)):
            with suppress(Conflict):
                await self._uploads.expire(upload_id)
        await self._left_by_a_crash()
        before = now - UNSENT_DAYS * 86400
        for attachment_id in await read(lambda c: files.old_unsent(c.execute, before)):
            await self._core.writer.do(partial(self._let_go, attachment_id))
        while some := await read(lambda c: files.loose_ones(c.execute, AT_ONCE)):
            await self._look_at(some)
        if now - self._orphans_at > ORPHANS_EVERY:
            self._orphans_at = now
            await self._orphans(now - YOUNG)

    async def _let_go(self, attachment_id: str, tx: Transaction) -> None:
        row = await files.get(tx.fetch, attachment_id)
        if row is not None and row.message_id is None:
            files.let_go_of(tx, attachment_id)

    async def _look_at(self, digests: Collection[str]) -> None:
        """Those that get loose from now on are looked at again."""
        await self._core.writer.do(partial(self._forget, digests))
        try:
            await self._keeper.remove_unnamed(digests)
        except BaseException:
            await self._core.writer.do(partial(self._remember, digests))
            raise

    async def _forget(self, digests: Collection[str], tx: Transaction) -> None:
        files.forget_loose(tx, digests)

    async def _remember(self, digests: Collection[str], tx: Transaction) -> None:
        known = await files.known_loose(tx.fetch, digests)
        files.remember_loose(tx, set(digests) - known)

    async def _left_by_a_crash(self) -> None:
        """What came in, and belongs to nothing."""
        names = await self._incoming.names()
        known = await self._core.database.read(lambda c: uploads.known(c.execute))
        for name in names - known - self._uploads.whole_ones.keys():
            await self._incoming.remove(name)

    async def _orphans(self, before: float) -> None:
        """What the storage holds since before then, and no row names. It is removed when this
        database has not known it for days: it may be the wrong one, or an old one."""
        some, found = list[str](), 0
        async for digest, since in self._keeper.storage.stored():
            if since < before:
                some.append(digest)
            if len(some) == AT_ONCE:
                found += await self._remove_old_orphans(some)
                some = []
        if found := found + await self._remove_old_orphans(some):
            log.warning("files_of_no_message", number=found, removed_after_days=ORPHAN_DAYS)

    async def _remove_old_orphans(self, digests: Collection[str]) -> int:
        """How many stay."""
        read, write = self._core.database.read, self._core.writer.do
        unnamed = set(digests) - await read(lambda c: files.named(c.execute, digests))
        since = await read(lambda c: files.orphans_since(c.execute, unnamed))
        if new := unnamed - since.keys():
            await write(partial(self._note, new))
        long_ago = self._core.clock() - ORPHAN_DAYS * 86400
        old = {digest for digest, seen_at in since.items() if seen_at < long_ago}
        if old:
            await self._keeper.remove_unnamed(old)
            await write(partial(self._forget_orphans, old))
        return len(unnamed - old)

    async def _note(self, digests: Collection[str], tx: Transaction) -> None:
        files.note_orphans(tx, digests)

    async def _forget_orphans(self, digests: Collection[str], tx: Transaction) -> None:
        files.forget_orphans(tx, digests)
