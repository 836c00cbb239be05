"""One server per data folder: a second one would announce late what the first one writes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from quartchat.config import SettingsError


def lock(folder: Path) -> int:
    """Holds the folder until the process ends, however it ends; the descriptor that does.
    Raises SettingsError when another server has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SettingsError(
            f"another server runs on the folder {folder}; stop it, or choose another --data"
        ) from None
    return descriptor
