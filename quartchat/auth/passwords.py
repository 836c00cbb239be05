"""Passwords: what may be one, and hashes of them, made and checked off the event loop.

Two at once at most: each takes 19 MiB while it runs, and the machine has other work.
"""

from __future__ import annotations

import asyncio
import functools
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from quartchat.errors import Invalid

T = TypeVar("T")
AT_ONCE = 2
SHORTEST = 8
LONGEST = 512


class Argon(Protocol):
    """The face of the module `quartchat.auth.argon`."""

    def make(self, password: str) -> str: ...
    def matches(self, hash: str | None, password: str) -> bool: ...
    def is_outdated(self, hash: str) -> bool: ...


def check_password(password: str) -> None:
    """Whether this may be a new password. Raises Invalid(field="password") with a sentence."""
    length = len(unicodedata.normalize("NFC", password))
    if length < SHORTEST:
        raise Invalid(
            "A password has at least {least} characters; a few words in a row make a good one.",
            field="password",
            least=SHORTEST,
        )
    if length > LONGEST:
        raise Invalid("A password has at most {most} characters.", field="password", most=LONGEST)


async def hash_password(password: str) -> str:
    """The argon2id hash, as text that carries its own parameters and salt."""
    return await _in_thread(lambda argon: argon.make(password))


async def verify_password(hash: str | None, password: str) -> bool:
    """Whether the password made this hash.

    None (no such user) takes as long as a wrong password does, and is False.
    """
    return await _in_thread(lambda argon: argon.matches(hash, password))


def needs_rehash(hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _load().is_outdated(hash)


async def _in_thread(work: Callable[[Argon], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads(), lambda: work(_load()))


def _load() -> Argon:
    # At the first login: a server where nobody logs in does not pay for it.
    from quartchat.auth import argon  # noqa: PLC0415

    return argon


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
