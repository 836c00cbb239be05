"""What a program here may take of the machine, set by itself before it reads a byte."""

from __future__ import annotations

import errno
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

from quartchat.media.terms import FEWER_PIXELS, MAX_PIXELS

NICE = 10  # behind the server, whose messages must not wait for pictures
GRACE = 5  # seconds of computing between the exception and the end


class TooMuch(Exception):
    """More pixels, or more work, than a file may ask for."""


class NoRoom(Exception):
    """The disk takes no more."""


def check_room(error: BaseException) -> None:
    """Raises NoRoom, or TooMuch, where that is what an error means, whoever raised it."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        raise NoRoom from error
    if number == errno.EFBIG:
        raise TooMuch from error


def bound(memory: int, seconds: int, file_bytes: int = 0) -> None:
    """Bytes of address space, seconds of computing (after which TooMuch is raised where Python
    runs), and bytes of the largest file that it writes."""
    os.nice(NICE)
    _die_first()
    signal.signal(signal.SIGXCPU, _overtime)
    for what, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, seconds, seconds + GRACE),
        (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(what, (_at_most(what, soft), _at_most(what, hard)))


def _at_most(what: int, wanted: int) -> int:
    """A limit that is there already, as in a container, is not lifted."""
    _, hard = resource.getrlimit(what)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _die_first() -> None:
    """Where memory runs out, this is what the kernel is to end, not the server."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _overtime(number: int, frame: FrameType | None) -> None:
    raise TooMuch


def check_size(width: int, height: int, kind: str = "") -> None:
    """Raises TooMuch where a picture (`kind` as Pillow names it) has more pixels than may be
    decoded."""
    if width * height > FEWER_PIXELS.get(kind, MAX_PIXELS):
        raise TooMuch
