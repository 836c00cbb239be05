"""The server's own secret: one file of random bytes, made at the first start.

A file that others on the machine may read is closed (mode 0600) and warned of, because
backups and copies lose modes; where the mode cannot be changed the start is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import tempfile
from pathlib import Path

from quartchat.config import SettingsError

NAME = "secret.key"
SHORTEST = 32

log = logging.getLogger(__name__)


def load_or_create_key(folder: Path) -> bytes:
    """The bytes of `folder/secret.key`, 32 or more; made there when it is missing.

    Of several processes that start at once, all get the same key. Raises SettingsError
    with one line that says what to do.
    """
    path = folder / NAME
    try:
        if not path.exists():
            _create(path)
        _close_to_others(path)
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"secret key {path}: {error.strerror or error}") from error
    if len(key) < SHORTEST:
        raise SettingsError(
            f"secret key {path}: has {len(key)} bytes and needs {SHORTEST} or more; restore it "
            "from a backup, or remove it to have a new one made (everybody then logs in again)"
        )
    return key


def derive(key: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose only: what is signed with them passes nowhere else."""
    return hmac.digest(key, f"quartchat {purpose}".encode(), hashlib.sha256)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{NAME}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SHORTEST))
            file.flush()
            os.fsync(file.fileno())
        _publish(Path(temporary), path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _publish(temporary: Path, path: Path) -> None:
    try:
        # A link, not a rename: it fails where another process was first, whose key then counts.
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _close_to_others(path: Path) -> None:
    if not _is_open(path):
        return
    try:
        path.chmod(0o600)
    except OSError as error:
        raise _refusal(path) from error
    if _is_open(path):
        raise _refusal(path)
    log.warning("%s was open to other users of this machine; it is closed now", path)


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)


def _refusal(path: Path) -> SettingsError:
    return SettingsError(f"secret key {path}: other users may read it; run: chmod 600 {path}")
