"""What keeps the content of files. Each is named by its digest: the same bytes are kept once."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from quartchat.errors import StorageFull

__all__ = ["Storage", "StorageFull", "digest_of", "full_disk"]

PIECE = 256 * 2**10  # bytes that a reader gets at once, at most
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
DIGEST = re.compile(r"[0-9a-f]{64}")


class Storage(Protocol):
    """`digest`: the SHA-256 of the content, 64 hex digits in lower case; all else is a ValueError.
    Every method but `close` raises Unavailable while the storage cannot be reached, or OSError.
    """

    async def check(self) -> None:
        """To be called once before use; takes away what earlier runs left half-done. Raises
        SettingsError with one line that says what to change."""

    async def put(self, path: Path, digest: str) -> None:
        """Durable when it returns. `path` may be moved away. What is there already counts as put
        now. Raises StorageFull; whenever it raises, nothing half-done is left."""

    def read(self, digest: str, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes]:
        """From byte `start` on, `length` bytes (None: all), fewer where the content ends; in
        pieces of 256 KiB at most. Raises FileNotFoundError before the first piece."""

    async def remove(self, digest: str) -> None:
        """Fine if it is not there. Whoever is reading it may go on, or get an error."""

    def stored(self) -> AsyncGenerator[tuple[str, float]]:
        """Each digest, and when it was put (Unix seconds). What is put or removed meanwhile may be
        among them or not."""

    async def close(self) -> None: ...


def name_of(digest: str) -> str:
    """As in `ab/ab12…`: no folder gets too long. Raises ValueError if it is no digest."""
    if not DIGEST.fullmatch(digest):
        raise ValueError(f"not a digest: {digest[:80]!r}")
    return f"{digest[:2]}/{digest}"


def check_range(start: int, length: int | None) -> None:
    if start < 0 or (length is not None and length < 0):
        raise ValueError("a range begins at 0 or later, and has no negative length")


async def digest_of(path: Path) -> str:
    """The SHA-256 of a file's content in hex; off the event loop, and in little memory."""
    return await asyncio.to_thread(_digest_of, path)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def full_disk() -> Iterator[None]:
    """Says what an error of a full disk, or of a quota that is used up, means."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull from error
        raise
