"""Argon2id itself: slow on purpose, so called in threads, and imported at the first login.

The parameters are the minimum that the OWASP Password Storage Cheat Sheet asks of argon2id
(https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html): 19 MiB,
two passes, one lane. The low-memory choice of RFC 9106 (64 MiB) would, twice at once, double
a server that idles under 80 MB.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import functools
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1

HASHER = PasswordHasher(
    time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, salt_len=16
)

# glibc would keep the 19 MiB of each thread's first hash for ever; what it maps by itself, from
# a fixed size on, goes back to the system when it is freed. M_MMAP_THRESHOLD is -3 in malloc.h.
with contextlib.suppress(OSError, AttributeError):  # no glibc
    ctypes.CDLL(None).mallopt(-3, 4 * 2**20)


def make(password: str) -> str:
    """The hash, as text that carries its own parameters and salt."""
    return HASHER.hash(_bytes(password))


def matches(hash: str | None, password: str) -> bool:
    """Whether the password made the hash; None and damaged ones take as long, and are False."""
    try:
        return HASHER.verify(_decoy() if hash is None else hash, _bytes(password))
    except VerifyMismatchError:
        return False
    except InvalidHashError:
        return matches(None, password)


def is_outdated(hash: str) -> bool:
    """Whether the hash was made with other parameters than these."""
    try:
        return HASHER.check_needs_rehash(hash)
    except InvalidHashError:
        return True


def _bytes(password: str) -> bytes:
    # The same letters typed on two systems may come composed or not: one form for both.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@functools.cache
def _decoy() -> str:
    """A hash that nothing matches, with today's parameters, so that it costs the same."""
    salt, tag = (base64.b64encode(secrets.token_bytes(n)).decode().rstrip("=") for n in (16, 32))
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${tag}"
