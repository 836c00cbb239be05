"""Files as they come in: pieces appended to a file of the upload's name, off the event loop."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterable
from io import FileIO
from pathlib import Path

from quartchat.storage.base import full_disk
from quartchat.storage.disk import make
from quartchat.storage.threads import to_the_end

BUFFER = 256 * 2**10  # bytes that are written at once
WORK = ".work"


class TooMuch(Exception):
    """More came than may."""


class Incoming:
    """Names are those of `new_id`: nothing that a client chose becomes a path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make(folder)

    def path(self, name: str) -> Path:
        return self._folder / name

    async def work(self, name: str) -> Path:
        """A new folder for what is made of the file."""
        await self.remove_work(name)
        folder = self._work(name)
        await asyncio.to_thread(folder.mkdir, mode=0o700)
        return folder

    async def size(self, name: str) -> int:
        """Bytes that have come."""
        return await asyncio.to_thread(_size, self.path(name))

    async def append(self, name: str, offset: int, pieces: AsyncIterable[bytes], most: int) -> int:
        """How much of the file has come then. What came before a connection was cut stays. Raises
        TooMuch (more than `most` in all), StorageFull."""
        with full_disk():
            file = await asyncio.to_thread(_open, self.path(name), offset)
            try:
                return await _Appending(file, offset, most).run(pieces)
            finally:
                file.close()

    async def remove(self, name: str) -> None:
        await asyncio.to_thread(self.path(name).unlink, missing_ok=True)
        await self.remove_work(name)

    async def remove_work(self, name: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self._work(name), ignore_errors=True)

    async def names(self) -> set[str]:
        """Of all files that have come, or are being worked on."""
        return await asyncio.to_thread(_names, self._folder)

    def _work(self, name: str) -> Path:
        return self._folder / f"{name}{WORK}"


class _Appending:
    def __init__(self, file: FileIO, offset: int, most: int) -> None:
        self._file, self._offset, self._most = file, offset, most
        self._buffer = bytearray()

    async def run(self, pieces: AsyncIterable[bytes]) -> int:
        try:
            async for piece in pieces:
                await self._take(piece)
        finally:
            await self._flush()
        return self._offset

    async def _take(self, piece: bytes) -> None:
        if self._offset + len(self._buffer) + len(piece) > self._most:
            raise TooMuch
        self._buffer += piece
        if len(self._buffer) >= BUFFER:
            await self._flush()

    async def _flush(self) -> None:
        if data := bytes(self._buffer):
            self._buffer.clear()
            # The file is not closed under the hands of a thread that writes.
            await to_the_end(asyncio.to_thread(_write, self._file, data))
            self._offset += len(data)


def _open(path: Path, offset: int) -> FileIO:
    file = FileIO(path, "a", opener=_private)
    file.truncate(offset)
    return file


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _names(folder: Path) -> set[str]:
    return {entry.name.removesuffix(WORK) for entry in folder.iterdir()}
