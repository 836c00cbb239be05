"""What a file is, by its first bytes: never by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quartchat.media.archives import zip_type
from quartchat.media.text import text_type

HEAD = 2**16  # bytes that are looked at
UNKNOWN = "application/octet-stream"
MIME = re.compile(r"(application|audio|font|image|model|text|video)/[\w.+-]+")
WEAK = 3  # bytes of a signature: shorter ones are found in anything


@dataclass(frozen=True)
class Container:
    """Of films and sounds. `demuxer` is FFmpeg's name; a `foreign` one is played everywhere only
    as MP4."""

    demuxer: str
    video: str
    audio: str
    foreign: bool = False


MP4 = Container("mov", "video/mp4", "audio/mp4")
MOV = Container("mov", "video/quicktime", "audio/mp4", foreign=True)
MOBILE = Container("mov", "video/3gpp", "audio/3gpp", foreign=True)
WEBM = Container("matroska", "video/webm", "audio/webm")
OGG = Container("ogg", "video/ogg", "audio/ogg")
WAV = Container("wav", "", "audio/wav")
FLAC = Container("flac", "", "audio/flac")
MP3 = Container("mp3", "", "audio/mpeg")
DRAWN = re.compile(rb"....ftyp(?:avif|avis)", re.S)
PICTURES = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"RIFF....WEBP", re.S), "WEBP"),
    (DRAWN, "AVIF"),
)
CONTAINERS = (
    (re.compile(rb"....ftypqt  |....(?:moov|mdat|wide)", re.S), MOV),
    (re.compile(rb"....ftyp3g", re.S), MOBILE),
    (re.compile(rb"....ftyp(?!hei|hev|mif1|msf1|jxl|crx|jp)", re.S), MP4),
    (re.compile(rb"\x1a\x45\xdf\xa3.{0,60}\x42\x82.webm", re.S), WEBM),
    (re.compile(rb"OggS\0"), OGG),
    (re.compile(rb"RIFF....WAVE", re.S), WAV),
    (re.compile(rb"fLaC"), FLAC),
    (re.compile(rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]"), MP3),
)
# What every browser shows in place, or runs, is named only by us: no guess may come out as one.
OURS = {container.video for _, container in CONTAINERS} | {
    *(container.audio for _, container in CONTAINERS),
    *(f"image/{kind.lower()}" for _, kind in PICTURES),
    *("text/html", "image/svg+xml", "text/plain"),
}
DOCUMENTS: tuple[tuple[re.Pattern[bytes], str | Callable[[Path], str]], ...] = (
    (re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)"), zip_type),
    (re.compile(rb".{0,1024}?%PDF-", re.S), "application/pdf"),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "application/x-ole-storage"),
    (re.compile(rb"\x1f\x8b\x08"), "application/gzip"),
    (re.compile(rb"....ftyp(?:hei|hev|mif1|msf1)", re.S), "image/heic"),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "video/x-matroska"),
    (re.compile(rb"\{\\rtf"), "application/rtf"),
)


def picture_kind(head: bytes) -> str | None:
    """As Pillow names it."""
    return next((kind for begins, kind in PICTURES if begins.match(head)), None)


def container_of(head: bytes) -> Container | None:
    return next((one for begins, one in CONTAINERS if begins.match(head)), None)


def document_type(head: bytes, path: Path) -> str:
    """The MIME type of what is neither a picture nor a film nor a sound."""
    for begins, mime_type in DOCUMENTS:
        if begins.match(head):
            return mime_type if isinstance(mime_type, str) else mime_type(path)
    return text_type(head) or _guessed(head)


def _guessed(head: bytes) -> str:
    """By a library that knows more signatures than anybody would write down."""
    import puremagic  # noqa: PLC0415 - its table takes time to read, and is seldom needed

    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    good = (one.mime_type for one in matches if one.offset >= 0 and len(one.byte_match) >= WEAK)
    return next((mime for mime in good if MIME.fullmatch(mime) and mime not in OURS), UNKNOWN)
