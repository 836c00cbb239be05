"""A file that has come is examined, stored and made an attachment; or nothing of it is left."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

from quartchat.chat.core import Core, chat_and_member, new_id
from quartchat.chat.incoming import Incoming
from quartchat.chat.quota import check_room
from quartchat.errors import ChatError, MediaFailed, TypeRefused, UploadNotFound
from quartchat.media.examine import examine
from quartchat.media.findings import Findings
from quartchat.storage.base import Storage, digest_of, full_disk
from quartchat.storage.threads import to_the_end
from quartchat.store import files, uploads
from quartchat.store.writer import Transaction

TRIES = 2  # the system may have killed the program that examines for another's sake


@dataclass(frozen=True, slots=True)
class Arrived:
    """All of a file, as `id` in the folder of what comes in; `upload`: it has a row."""

    id: str
    user_id: str
    chat_id: str
    name: str
    upload: bool = True


class Keeper:
    def __init__(self, core: Core, storage: Storage, incoming: Incoming) -> None:
        self._core, self.storage, self._incoming = core, storage, incoming
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def keep(self, arrived: Arrived) -> dict[str, Any]:
        """The attachment. Raises what `examine` and the storage raise, TypeRefused,
        QuotaExceeded, ChatNotFound, NotAMember, UploadNotFound (it was cancelled)."""
        path = self._incoming.path(arrived.id)
        try:
            with full_disk():
                work = await self._incoming.work(arrived.id)
                found = await self._examined(path, work, arrived.user_id)
                self._check_type(found.mime_type)
                versions = _versions(found, path, work)
                digests = {name: await digest_of(file) for name, file in versions.items()}
                sizes = {name: file.stat().st_size for name, file in versions.items()}
                row = _row(arrived, found, sizes, digests)
            await self._store(arrived, row, {digests[name]: versions[name] for name in versions})
        finally:
            await self._incoming.remove_work(arrived.id)
        await self._incoming.remove(arrived.id)
        return files.data_of(SimpleNamespace(**row))

    async def remove_unnamed(self, digests: Collection[str]) -> None:
        """Content that no attachment names."""
        for digest in set(digests) - await self._named(digests):
            async with self._lock(digest):
                await self._remove_unnamed([digest])

    def _lock(self, digest: str) -> asyncio.Lock:
        """Held while content is put together with what names it, or looked at to be removed."""
        return self._locks.setdefault(digest, asyncio.Lock())

    async def _examined(self, path: Path, work: Path, whose: str) -> Findings:
        for _ in range(TRIES - 1):
            try:
                return await examine(path, work, whose)
            except MediaFailed:
                continue
        return await examine(path, work, whose)

    def _check_type(self, mime_type: str) -> None:
        taken = self._core.settings.upload_types
        if taken and not any(fnmatch(mime_type, pattern) for pattern in taken):
            raise TypeRefused(
                "Files of this type ({type}) are not taken here.", field="file", type=mime_type
            )

    async def _store(
        self, arrived: Arrived, row: dict[str, Any], content: Mapping[str, Path]
    ) -> None:
        """`content`: digest -> file. Whoever is cancelled knows whether the row is there."""
        async with AsyncExitStack() as stack:
            for digest in sorted(content):
                await stack.enter_async_context(self._lock(digest))
            try:
                for digest, file in content.items():
                    await self.storage.put(file, digest)
                await to_the_end(self._core.writer.do(lambda tx: self._add(tx, arrived, row)))
            except BaseException:
                with suppress(ChatError, OSError):  # what stays is swept
                    await self._remove_unnamed(content)
                raise

    async def _remove_unnamed(self, digests: Collection[str]) -> None:
        for digest in set(digests) - await self._named(digests):
            await self.storage.remove(digest)

    async def _named(self, digests: Collection[str]) -> set[str]:
        return await self._core.database.read(lambda c: files.named(c.execute, digests))

    async def _add(self, tx: Transaction, arrived: Arrived, row: dict[str, Any]) -> None:
        await chat_and_member(tx.fetch, arrived.chat_id, arrived.user_id)
        upload = await uploads.get(tx.fetch, arrived.id) if arrived.upload else None
        if arrived.upload and upload is None:
            raise UploadNotFound
        counted = upload.size if upload else 0
        await check_room(self._core, tx.fetch, arrived.user_id, row["size_stored"] - counted)
        files.add(tx, row)
        uploads.done(tx, arrived.id, row["id"])


def _versions(found: Findings, path: Path, work: Path) -> dict[str, Path]:
    """Column -> file."""
    versions = {"digest": work / found.clean if found.clean else path}
    small = {"small": found.small, "large": found.large}
    return versions | {name: work / file for name, file in small.items() if file}


def _row(
    arrived: Arrived, found: Findings, sizes: Mapping[str, int], digests: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "user_id": arrived.user_id,
        "chat_id": arrived.chat_id,
        "name": arrived.name,
        "size": sizes["digest"],
        "size_stored": sum(sizes.values()),
        "kind": found.kind,
        "mime_type": found.mime_type,
        "width": found.width,
        "height": found.height,
        "duration": found.duration,
        "animated": found.animated,
        "blur": found.blur,
        "small": None,
        "large": None,
        **digests,
    }
