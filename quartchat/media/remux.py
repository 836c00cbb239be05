"""Films copied without what they say of their maker: where they were taken, when, with what.

The streams themselves are copied as they are, packet by packet, so that memory stays small
however long the film is.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream

from quartchat.media.bounds import NoRoom, check_room
from quartchat.media.signatures import Container
from quartchat.media.streams import is_cover, opened, seconds

NAMES = {"mov": "mp4", "matroska": "webm", "ogg": "ogg"}
PLAIN = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "language"}
PLAIN_OF_STREAMS = PLAIN | {"handler_name", "vendor_id"}
PLACES = ("location", "xyz", "gps")
BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"sidx", b"moof", b"mfra", b"styp"}
AWAY = 1.0  # seconds that the copy may be shorter or longer
Metadata = dict[str, str]


def cleaned(
    source: InputContainer, path: Path, out: Path, container: Container, *, is_film: bool
) -> str | None:
    """The name of the copy in `out`; None where none is needed, or none can be made."""
    needed = _tells(source, path) if is_film else _tells_where(source)
    kind = NAMES.get(container.demuxer)
    if kind is None or not (needed or (is_film and container.foreign)):
        return None
    target = out / f"clean.{kind}"
    try:
        _copy(path, container.demuxer, target, kind)
        with opened(target, container.demuxer) as copy:
            good = abs((seconds(copy) or 0) - (seconds(source) or 0)) <= AWAY
    except Exception as error:  # a film that can't be copied is sent as it came
        check_room(error)
        good = False
    if not good:
        if _free(out) < path.stat().st_size:  # FFmpeg does not always say so
            raise NoRoom
        target.unlink(missing_ok=True)
    return target.name if good else None


def _free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def _tells_where(source: InputContainer) -> bool:
    """A sound keeps its title and its artist, but not a place."""
    keys = [*source.metadata, *(key for each in source.streams for key in each.metadata)]
    return any(place in key.lower() for place in PLACES for key in keys)


def _tells(source: InputContainer, path: Path) -> bool:
    return (
        _has_more(source.metadata, PLAIN)
        or any(_has_more(each.metadata, PLAIN_OF_STREAMS) for each in source.streams)
        or any(not _is_seen(each) for each in source.streams)
        or (source.format.name.startswith("mov") and _has_other_boxes(path))
    )


def _has_more(metadata: Metadata, plain: set[str]) -> bool:
    return any(key.lower() not in plain for key in metadata)


def _is_seen(stream: Stream) -> bool:
    """Not a track of places, nor a cover."""
    return stream.type in ("video", "audio") and not is_cover(stream)


def _has_other_boxes(path: Path) -> bool:
    """On the top level, where makers leave notes of their own."""
    with path.open("rb") as file, suppress(struct.error):
        end, at = path.stat().st_size, 0
        while at < end:
            file.seek(at)
            size, name = struct.unpack(">I4s", file.read(8))
            size = struct.unpack(">Q", file.read(8))[0] if size == 1 else size or end - at
            if name not in BOXES or size < 8:
                return True
            at += size
        return at > end
    return True


def _copy(path: Path, demuxer: str, target: Path, kind: str) -> None:
    options = {"fflags": "+bitexact"} | ({"movflags": "faststart"} if kind == "mp4" else {})
    with (
        opened(path, demuxer) as source,
        av.open(str(target), "w", format=kind, options=options) as sink,
    ):
        seen = [each for each in source.streams if _is_seen(each)]
        copies = {each.index: sink.add_stream_from_template(each) for each in seen}
        for packet in source.demux(seen):
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                sink.mux(packet)
