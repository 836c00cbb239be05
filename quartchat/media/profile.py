"""Colour profiles: what they say of colours is kept, what they say of anything else is not."""

from __future__ import annotations

import io
import struct

from PIL import ImageCms
from PIL.Image import Image as Picture

HEAD, ENTRY = struct.Struct(">128sI"), struct.Struct(">4sII")
# The tags of simple profiles (matrix and curves), as cameras and phones write them.
NUMBERS = {b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"chad", b"rTRC", b"gTRC", b"bTRC", b"kTRC"}
TYPES = {b"XYZ ", b"sf32", b"curv", b"para"}
COLOUR, GREY = {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"}, {b"kTRC"}
MOST = 2**15  # bytes of a tag: no curve is longer


def numbers_only(profile: bytes | None) -> bytes | None:
    """A simple profile without its texts; None for one that is not simple."""
    try:
        return _rebuilt(profile) if profile else None
    except struct.error:
        return None


def _rebuilt(profile: bytes) -> bytes | None:
    head, count = HEAD.unpack_from(profile)
    entries = [
        ENTRY.unpack_from(profile, HEAD.size + n * ENTRY.size) for n in range(min(count, 99))
    ]
    tags = {name: profile[at : at + size] for name, at, size in entries if name in NUMBERS}
    if not (tags.keys() >= COLOUR or tags.keys() >= GREY):
        return None
    if any(tag[:4] not in TYPES or len(tag) > MOST for tag in tags.values()):
        return None
    return _written(head, tags)


def _written(head: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = b"", b""
    start = HEAD.size + len(tags) * ENTRY.size
    for name, tag in tags.items():
        table += ENTRY.pack(name, start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    # Of the head only what a reader needs: no maker, model, date or identity.
    plain = head[8:24] + bytes(12) + b"acsp" + bytes(24) + head[64:80]
    size = struct.pack(">I", start + len(body))
    return size + bytes(4) + plain.ljust(120, b"\0") + struct.pack(">I", len(tags)) + table + body


def to_srgb(image: Picture, profile: bytes | None) -> Picture:
    """In the colours that screens take for granted; the same picture where that can't be done."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = image.mode if image.mode == "RGBA" else "RGB"
        made = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return made or image
