"""A program: a picture on standard input becomes a small square WebP on standard output.

`python -m quartchat.media.picture < photo.jpg > square.webp`. It exits with 0, or with `BROKEN`
(not a picture that is known here, or a damaged one) or `TOO_MANY_PIXELS`. What the file says of
itself (its place on earth, its camera, its comments) is not taken over.
"""

from __future__ import annotations

import io
import sys

from PIL import Image, ImageOps
from PIL.Image import Image as Picture

from quartchat.media.bounds import TooMuch, bound, check_size
from quartchat.media.plain import orientation, plain, turned
from quartchat.media.terms import (
    BROKEN,
    FORMATS,
    MAX_BYTES,
    MEMORY,
    SECONDS,
    SIDE,
    TOO_MANY_PIXELS,
)

Image.MAX_IMAGE_PIXELS = None  # `_small` looks at the size, before anything is decoded


def main() -> int:
    bound(MEMORY, SECONDS)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return BROKEN
    try:
        small = square(data)
    except TooMuch:
        return TOO_MANY_PIXELS
    except Exception:  # decoders raise whatever they like on files that strangers made
        return BROKEN
    sys.stdout.buffer.write(small)
    return 0


def square(data: bytes) -> bytes:
    """The middle of a picture, upright, as WebP. Raises TooMuch, and whatever a decoder
    raises."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        small = _small(image)
    small.info = {}
    out = io.BytesIO()
    small.save(out, "WEBP", quality=82, method=4)
    return out.getvalue()


def _small(image: Picture) -> Picture:
    """Shrunk first, turned after: that takes a hundredth of the memory."""
    check_size(*image.size)
    side = min(SIDE, *image.size)
    turn = orientation(image)
    image.draft("RGB", (side * 2, side * 2))  # a JPEG is decoded no larger than that
    return turned(ImageOps.fit(plain(image), (side, side)), turn)


if __name__ == "__main__":
    sys.exit(main())
