"""Pictures of all kinds as the few kinds that can be mixed, scaled and turned."""

from __future__ import annotations

from PIL import ImageOps
from PIL.Image import Image as Picture

ORIENTATION = 0x0112  # of EXIF


def plain(image: Picture) -> Picture:
    """In colours that can be mixed; 16 bits of grey as 8."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda grey: grey / 256).convert("L")
    has_alpha = "A" in image.mode or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    return image if image.mode == mode else image.convert(mode)


def orientation(image: Picture) -> int:
    """1 to 8, as EXIF counts; 1, upright, also where it cannot be read."""
    try:
        turn = int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # whatever a parser raises: it is the picture that counts
        return 1
    return turn if 1 <= turn <= 8 else 1


def turned(image: Picture, turn: int) -> Picture:
    """Upright; the same object where nothing is to do."""
    if turn == 1:
        return image
    image.getexif()[ORIENTATION] = turn
    return ImageOps.exif_transpose(image)
