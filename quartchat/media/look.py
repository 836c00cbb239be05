"""A program: what a file is, and its clean and small versions.

`python -m quartchat.media.look IN OUT_FOLDER` writes the versions into the folder, and prints
Findings as JSON. It exits with 0, or with `BROKEN` (a picture that can't be decoded) or
`TOO_MANY_PIXELS`, or `NO_ROOM` on the disk. A film is never read as a whole.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from quartchat.media.bounds import NoRoom, TooMuch, bound, check_room
from quartchat.media.findings import Findings
from quartchat.media.signatures import HEAD, container_of, document_type, picture_kind
from quartchat.media.terms import BROKEN, FILE_MEMORY, FILE_SECONDS, NO_ROOM, TOO_MANY_PIXELS

ROOM = 64 * 2**20  # bytes that a version may have more than the file


def main() -> int:
    path, out = Path(sys.argv[1]), Path(sys.argv[2])
    bound(FILE_MEMORY, FILE_SECONDS - 10, path.stat().st_size * 2 + ROOM)
    try:
        findings = look(path, out)
    except (TooMuch, MemoryError):
        return TOO_MANY_PIXELS
    except NoRoom:
        return NO_ROOM
    sys.stdout.buffer.write(msgspec.json.encode(findings))
    return 0


def look(path: Path, out: Path) -> Findings:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if kind := picture_kind(head):
        return _picture(path, out, kind)
    if container := container_of(head):
        from quartchat.media.films import film  # noqa: PLC0415 - seldom needed, slow to load

        return film(path, out, container, head)
    return Findings(kind="file", mime_type=document_type(head, path))


def _picture(path: Path, out: Path, kind: str) -> Findings:
    from quartchat.media.still import can_read, picture  # noqa: PLC0415 - as above

    if not can_read(kind):
        return Findings(kind="file", mime_type=f"image/{kind.lower()}")
    try:
        return picture(path, out, kind)
    except (TooMuch, MemoryError):
        raise
    except Exception as error:  # decoders raise whatever they like on files that strangers made
        check_room(error)
        sys.exit(BROKEN)


if __name__ == "__main__":
    sys.exit(main())
