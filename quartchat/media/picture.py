"""A program: a picture on standard input becomes a small square WebP on standard output.

`python -m quartchat.media.picture < photo.jpg > square.webp`. It exits with 0, or with `BROKEN`
(not a picture that is known here, or a damaged one) or `TOO_MANY_PIXELS`. What the file says of
itself (its place on earth, its camera, its comments) is not taken over.
"""

from __future__ import annotations

import io
import resource
import sys

from PIL import Image, ImageOps
from PIL.Image import Image as Picture

from quartchat.media.terms import (
    BROKEN,
    FORMATS,
    MAX_BYTES,
    MAX_PIXELS,
    SECONDS,
    SIDE,
    TOO_MANY_PIXELS,
)

ORIENTATION = 0x0112  # of EXIF
MEMORY = 2**30  # bytes of address space
Image.MAX_IMAGE_PIXELS = None  # `_small` looks at the size, before anything is decoded


class TooManyPixels(Exception):
    pass


def main() -> int:
    bound()
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return BROKEN
    try:
        small = square(data)
    except TooManyPixels:
        return TOO_MANY_PIXELS
    except Exception:  # decoders raise whatever they like on files that strangers made
        return BROKEN
    sys.stdout.buffer.write(small)
    return 0


def bound() -> None:
    """No more memory and time than a picture needs, and no file written."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def square(data: bytes) -> bytes:
    """The middle of a picture, upright, as WebP. Raises TooManyPixels, and whatever a decoder
    raises."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        small = _small(image)
    small.info = {}
    out = io.BytesIO()
    small.save(out, "WEBP", quality=82, method=4)
    return out.getvalue()


def _small(image: Picture) -> Picture:
    """Shrunk first, turned after: that takes a hundredth of the memory."""
    if image.width * image.height > MAX_PIXELS:
        raise TooManyPixels
    side = min(SIDE, *image.size)
    turn = image.getexif().get(ORIENTATION, 1)
    image.draft("RGB", (side * 2, side * 2))  # a JPEG is decoded no larger than that
    small = ImageOps.fit(_plain(image), (side, side))
    small.getexif()[ORIENTATION] = turn
    return ImageOps.exif_transpose(small)


def _plain(image: Picture) -> Picture:
    """In colours that can be mixed; 16 bits of grey as 8."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda grey: grey / 256).convert("L")
    has_alpha = "A" in image.mode or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    return image if image.mode == mode else image.convert(mode)


if __name__ == "__main__":
    sys.exit(main())
