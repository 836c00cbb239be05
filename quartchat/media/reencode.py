"""A still picture written anew, so that nothing is left of the file but the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import JpegImagePlugin
from PIL.Image import Image as Picture

from quartchat.media.plain import orientation, plain, turned
from quartchat.media.profile import numbers_only, to_srgb

SUFFIXES = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "AVIF": "avif"}
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I")
LOSSLESS = b"VP8L"


def reencode(image: Picture, kind: str, path: Path, out: Path) -> tuple[Picture, str]:
    """(the picture, upright; the name of its file in `out`). `kind` is one of SUFFIXES, `path`
    the file that it was opened from. Raises whatever a decoder raises."""
    turn, how = orientation(image), _how(image, kind, path)
    image.load()
    picture = _kept(turned(image, turn), kind)
    name = f"clean.{SUFFIXES[kind]}"
    _save(picture, out / name, kind, how)
    return picture, name


def _kept(image: Picture, kind: str) -> Picture:
    """With only that of `info` which belongs to the picture, in colours that all can show."""
    profile = image.info.get("icc_profile")
    simple = numbers_only(profile)
    seen = {"transparency": image.info.get("transparency"), "icc_profile": simple}
    if profile and not simple and image.mode in ("RGB", "RGBA", "L", "CMYK"):
        image = to_srgb(image, profile)
    image = _fit(image, kind)
    image.info = {name: value for name, value in seen.items() if value is not None}
    return image


def _fit(image: Picture, kind: str) -> Picture:
    """In a mode that the kind of file has."""
    if kind == "JPEG":
        return image if image.mode in ("L", "RGB") else image.convert("RGB")
    if kind == "PNG":
        return image if image.mode in PNG_MODES else plain(image)
    if kind == "GIF":
        return image if image.mode in ("P", "L", "1") else image.convert("P")
    return plain(image)


def _how(image: Picture, kind: str, path: Path) -> dict[str, Any]:
    """What the encoder is to be told; of a JPEG its own tables, so that it loses nothing that
    can be seen and does not grow. To be asked before anything is decoded."""
    if kind == "JPEG":
        return _tables(image)
    if kind == "WEBP":
        with path.open("rb") as file:
            lossless = LOSSLESS in file.read(64)
        return {"lossless": lossless, "quality": 75 if lossless else 88, "method": 3}
    return {"AVIF": {"quality": 80, "speed": 8, "max_threads": 1}}.get(kind, {})


def _tables(image: Picture) -> dict[str, Any]:
    tables = getattr(image, "quantization", None)
    if image.mode not in ("L", "RGB") or not tables:
        return {"quality": 90, "optimize": True}
    return {
        "qtables": [tables[n] for n in sorted(tables)],
        "subsampling": JpegImagePlugin.get_sampling(image),
        "progressive": bool(image.info.get("progressive")),
        "optimize": True,
    }


def _save(image: Picture, path: Path, kind: str, how: dict[str, Any]) -> None:
    profile = {"icc_profile": image.info["icc_profile"]} if "icc_profile" in image.info else {}
    try:
        image.save(path, kind, **how, **profile)
    except OSError:
        if not how.get("optimize"):
            raise
        # A picture of noise does not fit the buffer that optimizing needs.
        image.save(path, kind, **{**how, "optimize": False, "progressive": False}, **profile)
