"""Files in a folder, as `ab/ab12…` by the SHA-256 of what they hold.

A file gets its name when all of it is on the disk, so whoever reads one reads all of it, and after
a power cut it is there, whole, or not at all. What is half-done stands in `new/` under a name of
its own.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import AsyncGenerator
from io import FileIO
from pathlib import Path
from threading import Event

from quartchat.config import SettingsError
from quartchat.storage.base import DIGEST, PIECE, check_range, full_disk, name_of
from quartchat.storage.disk import Source, free_bytes, make, move, sync, write_all
from quartchat.storage.threads import Threads

PREFIX = 2  # letters of a digest that name its folder
COPIED_AT_ONCE = 2**20  # bytes
LEFT_OVER = 3600.0  # seconds without a write, after which what is half-done has no writer


class Folder:
    """A Storage (see base.py)."""

    def __init__(self, root: Path) -> None:
        self._root, self._new = root, root / "new"
        self._threads = Threads()

    async def check(self) -> None:
        await self._threads.run(self._check)

    async def put(self, path: Path, digest: str) -> None:
        """A `path` on the same file system is moved; elsewhere it is copied, and stays."""
        stop = Event()
        await self._threads.run(self._put, path, self._root / name_of(digest), stop, stop=stop)

    async def read(
        self, digest: str, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes]:
        check_range(start, length)
        source = Source(self._root / name_of(digest))
        try:
            size = await self._threads.run(source.open, start)
            left = size if length is None else min(size, length)
            while left > 0 and (piece := await self._threads.run(source.read, min(left, PIECE))):
                left -= len(piece)
                yield piece
        finally:
            source.close()

    async def remove(self, digest: str) -> None:
        """Not synced: what a power cut brings back is found as something that nothing names."""
        await self._threads.run(_remove, self._root / name_of(digest))

    async def stored(self) -> AsyncGenerator[tuple[str, float]]:
        for folder in await self._threads.run(_folders, self._root):
            for item in await self._threads.run(_content, folder):
                yield item

    async def free_bytes(self) -> int:
        """What the disk has left for files."""
        return await self._threads.run(free_bytes, self._root)

    async def close(self) -> None:
        self._threads.close()

    def _check(self) -> None:
        try:
            make(self._new)
            for path in self._new.iterdir():
                _remove_old(path)
        except OSError as error:
            raise SettingsError(f"folder of files {self._root}: {error.strerror}") from error
        if not os.access(self._new, os.W_OK | os.X_OK):
            raise SettingsError(f"folder of files {self._root}: nothing can be written there")

    def _put(self, path: Path, target: Path, stop: Event) -> None:
        with full_disk():
            make(target.parent)
            if not move(path, target):
                self._copy(path, target, stop)
            sync(target.parent)
            sync(self._root)  # another put may have made the folder, and not be so far yet

    def _copy(self, path: Path, target: Path, stop: Event) -> None:
        make(self._new)
        descriptor, name = tempfile.mkstemp(dir=self._new)
        try:
            with FileIO(descriptor, "w") as copy, path.open("rb") as source:
                while not stop.is_set() and (piece := source.read(COPIED_AT_ONCE)):
                    write_all(copy, piece)
            if not stop.is_set():
                move(Path(name), target)
        finally:
            Path(name).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _remove_old(path: Path) -> None:
    if time.time() - path.stat().st_mtime > LEFT_OVER:
        path.unlink()


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if len(path.name) == PREFIX)


def _content(folder: Path) -> list[tuple[str, float]]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    ours = (entry for entry in entries if entry.name[:2] == folder.name)
    return [found for entry in ours for found in _found(entry)]


def _found(entry: os.DirEntry[str]) -> list[tuple[str, float]]:
    try:
        return [(entry.name, entry.stat().st_mtime)] if DIGEST.fullmatch(entry.name) else []
    except FileNotFoundError:  # it was removed meanwhile
        return []
