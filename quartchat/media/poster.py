"""The size of a film as it is shown, and one of its first pictures that is not black."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageStat
from PIL.Image import Image as Picture

from quartchat.media.bounds import TooMuch, check_size
from quartchat.media.thumbnails import LARGE, thumbnails

A_BIT_IN = 1.0  # seconds
TRIES = 40  # frames
MOST_OBLONG = 4
BRIGHT = 24  # of 255, in the mean: more is not black


def poster(source: InputContainer, stream: VideoStream, out: Path) -> dict[str, Any]:
    """What Findings is to say of it: without a poster where nothing can be decoded."""
    if not (stream.width and stream.height):
        return {}
    width, height = _unturned(stream)
    try:
        check_size(stream.width, stream.height)
        frame = _frame(source, stream)
        angle = round(frame.rotation / 90) % 4 * 90
        made = thumbnails(_picture(frame, width, height, angle), out, large=True)
    except (TooMuch, StopIteration, MemoryError, OSError, ValueError, av.FFmpegError):
        return {"width": width, "height": height}
    if angle in (90, 270):
        width, height = height, width
    return {"width": width, "height": height, **made}


def _unturned(stream: VideoStream) -> tuple[int, int]:
    """With square pixels; where it says that they are slivers, it is broken."""
    ratio = stream.sample_aspect_ratio or 1
    ratio = ratio if MOST_OBLONG > ratio > 1 / MOST_OBLONG else 1
    return max(1, round(stream.width * ratio)), stream.height


def _frame(source: InputContainer, stream: VideoStream) -> VideoFrame:
    """Raises StopIteration where there is none."""
    stream.thread_count = 1  # each thread keeps frames of its own
    _seek(source)
    best, brightest = None, -1.0
    for frame in islice(source.decode(stream), TRIES):
        light = _light(frame)
        if light > brightest:
            best, brightest = frame, light
        if light > BRIGHT:
            break
    if best is None:
        raise StopIteration
    return best


def _seek(source: InputContainer) -> None:
    length = (source.duration or 0) / av.time_base
    start = (source.start_time or 0) / av.time_base
    try:
        source.seek(int((start + min(A_BIT_IN, length / 4)) * av.time_base))
    except (OSError, av.FFmpegError):
        source.seek(0)


def _light(frame: VideoFrame) -> float:
    return float(ImageStat.Stat(_image(frame, 32, 32).convert("L")).mean[0])


def _image(frame: VideoFrame, width: int, height: int) -> Picture:
    image: Picture = frame.reformat(width, height, "rgb24").to_image()  # type: ignore[no-untyped-call]
    return image


def _picture(frame: VideoFrame, width: int, height: int, angle: int) -> Picture:
    """Small already, and upright."""
    factor = min(1, LARGE / max(width, height))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    image = _image(frame, *size)
    turns = {
        90: Image.Transpose.ROTATE_90,
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_270,
    }
    return image.transpose(turns[angle]) if angle else image
