"""A disk of little room, which takes root's rights to have."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(path: Path, size: str | int, **more: object) -> Iterator[Path]:
    """`path`, a folder that is made if need be, is such a disk meanwhile; `size` in bytes, or as
    in "1m"; `more` as `mount` takes it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = ",".join(f"{name}={value}" for name, value in {"size": size, **more}.items())
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    if not shutil.which("mount") or subprocess.call(command, stderr=subprocess.DEVNULL):
        pytest.skip("needs to mount a file system: run as root, in a container with --privileged")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)
