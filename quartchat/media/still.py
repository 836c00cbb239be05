"""Pictures: what is to be known of one, its clean version and its small ones."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageSequence, features
from PIL.Image import Image as Picture

from quartchat.media.blocks import COPIES
from quartchat.media.bounds import TooMuch, check_size
from quartchat.media.findings import Findings
from quartchat.media.plain import orientation
from quartchat.media.reencode import SUFFIXES, reencode
from quartchat.media.thumbnails import needs_large, thumbnails

Image.MAX_IMAGE_PIXELS = None  # `picture` looks at the size, before anything is decoded


def can_read(kind: str) -> bool:
    """`kind` as Pillow names it. AVIF is not in every build of it."""
    return kind in SUFFIXES and (kind != "AVIF" or bool(features.check("avif")))


def picture(path: Path, out: Path, kind: str) -> Findings:
    """Raises TooMuch, and whatever a decoder raises."""
    with Image.open(path, formats=[kind]) as image:
        check_size(*image.size, kind)
        found = _animation(image, kind, path, out)
    if found is not None:
        return found
    with Image.open(path, formats=[kind]) as image:
        return _still(image, kind, path, out)


def _still(image: Picture, kind: str, path: Path, out: Path) -> Findings:
    picture, name = reencode(image, kind, path, out)
    large = needs_large(picture, (out / name).stat().st_size)
    made = thumbnails(picture, out, large=large)
    return _findings(picture, kind, clean=name, **made)


def _animation(image: Picture, kind: str, path: Path, out: Path) -> Findings | None:
    """None for what is to be shown as a still: also what has too many frames, or lies askew."""
    if kind not in COPIES or not getattr(image, "is_animated", False) or orientation(image) != 1:
        return None
    clean = out / f"clean.{SUFFIXES[kind]}"
    try:
        with path.open("rb") as source, clean.open("wb") as target:
            COPIES[kind](source, target)
    except TooMuch:
        return None
    with Image.open(clean, formats=[kind]) as copied:
        made = thumbnails(copied, out, large=False)
        _play(copied)
        return _findings(copied, kind, clean=clean.name, animated=True, **made)


def _play(image: Picture) -> None:
    """Decodes all frames: broken ones raise."""
    for frame in ImageSequence.Iterator(image):
        check_size(*frame.size)
        frame.load()


def _findings(image: Picture, kind: str, **more: object) -> Findings:
    return Findings(
        kind="image",
        mime_type=f"image/{kind.lower()}",
        width=image.width,
        height=image.height,
        **more,  # type: ignore[arg-type]
    )
