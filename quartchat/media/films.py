"""Films and sounds: how long, how large, a poster, and a version that says nothing of its maker."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quartchat.media.findings import Findings
from quartchat.media.signatures import MP4, OGG, UNKNOWN, Container

if TYPE_CHECKING:
    from av.container import InputContainer

LONGEST = 10**7  # seconds: what says more, errs


def film(path: Path, out: Path, container: Container, head: bytes) -> Findings:
    """By its type alone where PyAV is not installed; a plain file if it can't be opened."""
    try:
        from quartchat.media import streams  # noqa: PLC0415 - needs what may not be installed
    except ImportError:
        return _unopened(container, head)
    try:
        with streams.opened(path, container.demuxer) as source:
            return _opened(source, path, out, container)
    except streams.Unreadable:
        return Findings(kind="file", mime_type=UNKNOWN)


def _unopened(container: Container, head: bytes) -> Findings:
    is_sound = not container.video or (
        head[8:12] in (b"M4A ", b"M4B ")
        if container.demuxer == MP4.demuxer
        else container is OGG and b"theora" not in head
    )
    return Findings(
        kind="audio" if is_sound else "video",
        mime_type=container.audio if is_sound else container.video,
    )


def _opened(source: InputContainer, path: Path, out: Path, container: Container) -> Findings:
    from quartchat.media import poster, remux, streams  # noqa: PLC0415 - as above

    picture, sound = streams.main_streams(source)
    if picture is None and sound is None:
        raise streams.Unreadable
    is_film = picture is not None and bool(container.video)
    clean = remux.cleaned(source, path, out, container, is_film=is_film)
    mime_type = container.video if is_film else container.audio
    found: dict[str, Any] = {
        "mime_type": _renamed(mime_type) if clean else mime_type,
        "duration": _sensible(streams.seconds(source)),
        "clean": clean,
    }
    if not is_film or picture is None:
        return Findings(kind="audio", **found)
    return Findings(kind="video", **found, **poster.poster(source, picture, out))


def _renamed(mime_type: str) -> str:
    """What is cleaned of the family of MP4 is MP4."""
    kind, _, name = mime_type.partition("/")
    return f"{kind}/mp4" if name in ("quicktime", "3gpp") else mime_type


def _sensible(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds) or not 0 < seconds < LONGEST:
        return None
    return round(seconds, 3)
