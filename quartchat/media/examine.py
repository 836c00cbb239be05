"""Runs the program `look` for a server, and believes nothing that it says unseen."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec

from quartchat.errors import Damaged, MediaFailed, StorageFull, TooManyPixels
from quartchat.media.findings import Findings
from quartchat.media.run import run
from quartchat.media.terms import BROKEN, FILE_SECONDS, MAX_PIXELS, NO_ROOM, TOO_MANY_PIXELS
from quartchat.media.turns import turn

PROGRAM = "quartchat.media.look"


async def examine(path: Path, out: Path, whose: str | None = None) -> Findings:
    """What the file is; its versions are in the folder `out`, which is made if need be, and is
    empty after an error. One of a person (`whose`) at a time. Raises Damaged, TooManyPixels,
    StorageFull, MediaFailed (the program was killed or took too long), Unavailable (too many at
    once)."""
    async with turn(whose):
        try:
            places = await asyncio.to_thread(_places, path, out)
            status, written = await run(PROGRAM, *places, seconds=FILE_SECONDS)
            return await asyncio.to_thread(_read, status, written, out)
        except BaseException:
            _empty(out)
            raise


def _places(path: Path, out: Path) -> tuple[str, str]:
    out.mkdir(parents=True, exist_ok=True)
    return str(path.resolve()), str(out.resolve())


def _read(status: int, written: bytes, out: Path) -> Findings:
    if status == BROKEN:
        raise Damaged
    if status == TOO_MANY_PIXELS:
        raise TooManyPixels(
            "This picture has too many pixels; {most} million are allowed.",
            most=MAX_PIXELS // 1_000_000,
        )
    if status == NO_ROOM:
        raise StorageFull
    if status:
        raise MediaFailed
    try:
        return _checked(msgspec.json.decode(written, type=Findings), out)
    except (msgspec.MsgspecError, OSError, ValueError):
        raise MediaFailed from None


def _checked(findings: Findings, out: Path) -> Findings:
    """Its files, and no others, are plain files in `out`. Raises ValueError, OSError."""
    there = {each.name for each in out.iterdir() if each.is_file() and not each.is_symlink()}
    if not there.issuperset(findings.files()):
        raise ValueError("a file that is not there")
    for name in there.difference(findings.files()):
        (out / name).unlink()
    return findings


def _empty(out: Path) -> None:
    for each in out.iterdir() if out.is_dir() else ():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink(missing_ok=True)
