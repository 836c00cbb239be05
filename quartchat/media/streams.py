"""The streams of a film, by PyAV (an extra)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

# Only what stands in the file itself is read, whatever it names.
OPTIONS = {"protocol_whitelist": "file"}
MAJOR = int(av.__version__.partition(".")[0])
TAGS: dict[str, Any] = {"metadata_errors": "replace"} if MAJOR < 19 else {}


class Unreadable(Exception):
    pass


@contextmanager
def opened(path: Path, demuxer: str) -> Iterator[InputContainer]:
    """Raises Unreadable where it is not what it begins like."""
    try:
        source = av.open(str(path), format=demuxer, options=OPTIONS, **TAGS)
    except (OSError, ValueError, av.FFmpegError):
        raise Unreadable from None
    with source:
        yield source


def main_streams(source: InputContainer) -> tuple[VideoStream | None, AudioStream | None]:
    """The first moving pictures (a cover is none) and the first sound."""
    films = (each for each in source.streams.video if not is_cover(each))
    return next(films, None), next(iter(source.streams.audio), None)


def is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def seconds(source: InputContainer) -> float | None:
    """As it says; where it does not (a recording of a browser), by its last packet."""
    if source.duration:
        return source.duration / av.time_base
    last = 0.0
    try:
        source.seek(0)
        for packet in source.demux():
            if packet.pts is not None and packet.time_base:
                last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except (OSError, av.FFmpegError):
        pass
    return last or None
