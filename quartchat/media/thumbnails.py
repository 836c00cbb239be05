"""The small versions of a picture, or of a video's poster: WebP, with nothing but the picture."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.Image import Image as Picture

from quartchat.media.plain import plain
from quartchat.media.profile import to_srgb

SMALL, LARGE, TINY = 320, 1280, 16  # pixels of the longer side
SMALL_NAME, LARGE_NAME = "small.webp", "large.webp"
BLUR_LENGTH = 400  # characters of base64
LIGHT = 200 * 2**10  # bytes: what is not more, and not larger than LARGE, is shown as it is


def shrunk(image: Picture, side: int) -> Picture:
    """Of at most this many pixels on the longer side, in colours that mix; never scaled up."""
    factor = min(1, side / max(image.size))
    width, height = (max(1, round(length * factor)) for length in image.size)
    image = plain(image) if image.mode in ("1", "P", "PA") or image.mode[0] == "I" else image
    if (width, height) != image.size:
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2)
    return plain(image)


def thumbnails(image: Picture, out: Path, *, large: bool) -> dict[str, Any]:
    """Writes them into `out`; what Findings is to say of them."""
    big = shrunk(image, LARGE)
    big = to_srgb(big, image.info.get("icc_profile"))
    big.info = {}
    small = shrunk(big, SMALL)
    small.save(out / SMALL_NAME, "WEBP", quality=75, method=4)
    if large:
        big.save(out / LARGE_NAME, "WEBP", quality=80, method=4)
    return {
        "small": SMALL_NAME,
        "large": LARGE_NAME if large else None,
        "blur": blur(small),
    }


def blur(image: Picture) -> str | None:
    """A tiny WebP in base64; None where it would not be tiny."""
    out = io.BytesIO()
    shrunk(image, TINY).save(out, "WEBP", quality=20, method=6, alpha_quality=20)
    text = base64.b64encode(out.getvalue()).decode()
    return text if len(text) < BLUR_LENGTH else None


def needs_large(image: Picture, bytes_: int) -> bool:
    return max(image.size) > LARGE or bytes_ > LIGHT
