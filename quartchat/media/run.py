"""Runs one of the programs here, for a short time.

By `subprocess` and threads: asyncio's own processes wait for ever when who asked is cancelled
while they are being started.
"""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from quartchat.media.turns import AT_ONCE

PATHS = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
_threads = ThreadPoolExecutor(AT_ONCE, "media")


async def run(
    module: str, *args: str, data: bytes | None = None, seconds: float
) -> tuple[int, bytes]:
    """(exit status, what it wrote); the status is below 0 where it was killed, also by us when
    its seconds were over. It has ended when this returns or raises."""
    process = _start(module, *args, is_told=data is not None)
    talk = asyncio.get_running_loop().run_in_executor(_threads, process.communicate, data)
    try:
        async with asyncio.timeout(seconds):
            written, _ = await asyncio.shield(talk)
    except TimeoutError:
        return -1, b""
    finally:
        process.kill()  # does nothing to one that has ended
        await asyncio.shield(talk)
    return process.returncode, written


def _start(module: str, *args: str, is_told: bool) -> Popen[bytes]:
    """It gets nothing of the server's environment, where keys may stand."""
    return Popen(  # noqa: S603 - our own programs alone
        [sys.executable, "-P", "-B", "-m", module, *args],
        stdin=PIPE if is_told else DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
        env={"PYTHONPATH": PATHS},
    )
