"""Runs the program `picture` for a server: few at once, each for a short time."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from weakref import WeakKeyDictionary

from quartchat.errors import ChatError, Invalid, TooLarge, Unavailable
from quartchat.media.terms import MAX_BYTES, MAX_PIXELS, SECONDS, TOO_MANY_PIXELS

AT_ONCE, MOST_WAITING = 2, 10
PATHS = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)


class _Turns:
    def __init__(self) -> None:
        self.free, self.waiting = asyncio.Semaphore(AT_ONCE), 0


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


async def square(data: bytes) -> bytes:
    """A picture as a square WebP of at most 256 pixels a side. Raises Invalid, TooLarge (both
    with the field "picture"), Unavailable (too many at once)."""
    if not data:
        raise Invalid("Choose a picture: the file is empty.", field="picture")
    if len(data) > MAX_BYTES:
        raise too_large()
    turns = _turns.setdefault(asyncio.get_running_loop(), _Turns())
    if turns.waiting >= MOST_WAITING:
        raise Unavailable("Many pictures are being worked on; try again in a moment.")
    turns.waiting += 1
    try:
        await turns.free.acquire()
    finally:
        turns.waiting -= 1
    try:
        status, small = await _run(data)
    finally:
        turns.free.release()
    if status:
        raise _refusal(status)
    return small


def too_large() -> ChatError:
    most = MAX_BYTES // 2**20
    return TooLarge("A picture is at most {most} MB large.", field="picture", most=most)


def _refusal(status: int) -> ChatError:
    if status == TOO_MANY_PIXELS:
        return Invalid(
            "This picture has too many pixels; {most} million are allowed.",
            field="picture",
            most=MAX_PIXELS // 1_000_000,
        )
    return Invalid(
        "This is not a picture that can be read here; send JPEG, PNG, GIF or WebP.",
        field="picture",
    )


async def _run(data: bytes) -> tuple[int, bytes]:
    """(exit status, what it wrote). It gets nothing of the server's environment, where keys
    may stand."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-B", "-m", "quartchat.media.picture"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": PATHS},
    )
    try:
        async with asyncio.timeout(SECONDS):
            written, _ = await process.communicate(data)
    except TimeoutError:
        return -1, b""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode or 0, written
