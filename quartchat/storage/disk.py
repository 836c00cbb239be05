"""Files and folders that are durable; all of it blocks, and is for threads."""

from __future__ import annotations

import errno
import os
from io import FileIO
from pathlib import Path


class Source:
    """A file that may be closed in whatever state it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None

    def open(self, start: int) -> int:
        """How many bytes there are from `start` on; 0 or less: none."""
        self._file = FileIO(self._path)
        self._file.seek(start)
        return os.fstat(self._file.fileno()).st_size - start

    def read(self, length: int) -> bytes:
        assert self._file is not None
        return self._file.read(length) or b""

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def move(path: Path, target: Path) -> bool:
    """Whether it could be, as both are on one file system; what is moved is on the disk before."""
    path.chmod(0o600)
    os.utime(path)
    sync(path)
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    return True


def make(folder: Path) -> None:
    """With the folders above it, each durable."""
    if folder.is_dir():
        return
    make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def free_bytes(folder: Path) -> int:
    make(folder)
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize
