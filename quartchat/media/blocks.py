"""Animations copied block by block: only those that draw, none that tells.

Frames would lose by being encoded again, and take minutes. A file that breaks off, or that no
longer follows its format, raises ValueError; one of more frames than allowed, TooMuch.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import BinaryIO

from quartchat.media.bounds import TooMuch, check_size

MOST_FRAMES = 2000
MOST_PIXELS = 2**28  # of all frames together


class Frames:
    """Counts them. `canvas` is (width, height)."""

    def __init__(self, canvas: tuple[int, int]) -> None:
        self.pixels, self.count = canvas[0] * canvas[1], 0
        check_size(*canvas)

    def one_more(self) -> None:
        self.count += 1
        if self.count > MOST_FRAMES or self.count * self.pixels > MOST_PIXELS:
            raise TooMuch


def exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise ValueError("it breaks off")
    return data


# GIF: https://www.w3.org/Graphics/GIF/spec-gif89a.txt

LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def copy_gif(source: BinaryIO, target: BinaryIO) -> None:
    head = exactly(source, 13)
    target.write(head + _colours(source, head[10]))
    canvas: tuple[int, int] = struct.unpack_from("<HH", head, 6)
    frames = Frames(canvas)
    while (mark := source.read(1)) not in (b";", b""):
        if mark == b"!":
            _copy_extension(source, target)
        elif mark == b",":
            frames.one_more()
            _copy_frame(source, target)
        else:
            raise ValueError("no block of a GIF")
    target.write(b";")


def _colours(source: BinaryIO, flags: int) -> bytes:
    return exactly(source, 3 << (flags & 7) + 1) if flags & 0x80 else b""


def _copy_frame(source: BinaryIO, target: BinaryIO) -> None:
    place = exactly(source, 9)
    left, top, width, height = struct.unpack_from("<HHHH", place)
    check_size(left + width, top + height)
    target.write(b"," + place + _colours(source, place[8]) + exactly(source, 1))
    while piece := _piece(source):
        target.write(piece)
    target.write(b"\0")


def _piece(source: BinaryIO) -> bytes:
    """The next with its length in front; empty at the end of a block."""
    length = exactly(source, 1)
    return length + exactly(source, length[0]) if length[0] else b""


def _copy_extension(source: BinaryIO, target: BinaryIO) -> None:
    """Of those only how a frame is shown, and how often all are."""
    label, first = exactly(source, 1), _piece(source)
    second = _piece(source) if first else b""
    if label == b"\xf9" and len(first) == 5:
        target.write(b"!" + label + first + b"\0")
    elif label == b"\xff" and first[1:] in LOOPS and len(second) == 4:
        target.write(b"!" + label + first + second + b"\0")
    while second:
        second = _piece(source)


# PNG: https://www.w3.org/TR/png-3/

DRAWING = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"IEND"}
COLOURS = {b"sRGB", b"gAMA", b"cHRM"}


def copy_png(source: BinaryIO, target: BinaryIO) -> None:
    target.write(exactly(source, 8))
    frames, name = Frames((0, 0)), b""
    while name != b"IEND":
        head = exactly(source, 8)
        size, name = struct.unpack(">I4s", head)
        if name not in DRAWING | COLOURS:
            source.seek(size + 4, 1)
            continue
        body = exactly(source, size + 4)
        if name == b"IHDR":
            frames = Frames(struct.unpack_from(">II", body))
        elif name == b"fcTL":
            frames.one_more()
        target.write(head + body)


# WebP: https://developers.google.com/speed/webp/docs/riff_container

PAINTED = {b"ALPH", b"VP8 ", b"VP8L"}
TOLD = 0x20 | 0x08 | 0x04  # flags: a profile, EXIF, XMP


def copy_webp(source: BinaryIO, target: BinaryIO) -> None:
    _, size, _ = struct.unpack("<4sI4s", exactly(source, 12))
    target.write(b"RIFF\0\0\0\0WEBP")
    frames = Frames((0, 0))
    left = size - 4
    while left > 8:
        name, body = _webp_chunk(source)
        left -= 8 + len(body) + len(body) % 2
        if name == b"VP8X":
            frames = Frames((_uint24(body[4:7]) + 1, _uint24(body[7:10]) + 1))
            body = bytes([body[0] & ~TOLD]) + body[1:]
        elif name == b"ANMF":
            frames.one_more()
            body = body[:16] + _painted(body[16:])
        elif name != b"ANIM":
            continue
        target.write(_chunk(name, body))
    end = target.tell()
    target.seek(4)
    target.write(struct.pack("<I", end - 8))


def _webp_chunk(source: BinaryIO) -> tuple[bytes, bytes]:
    name, size = struct.unpack("<4sI", exactly(source, 8))
    body = exactly(source, size)
    source.read(size % 2)
    return name, body


def _painted(data: bytes) -> bytes:
    """Of the chunks of a frame those that draw."""
    kept, at = b"", 0
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name in PAINTED:
            kept += _chunk(name, data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return kept


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + bytes(len(body) % 2)


def _uint24(data: bytes) -> int:
    return int.from_bytes(data, "little")


COPIES: dict[str, Callable[[BinaryIO, BinaryIO], None]] = {
    "GIF": copy_gif,
    "PNG": copy_png,
    "WEBP": copy_webp,
}
