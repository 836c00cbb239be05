"""Content from the storage as a response, whole or a part of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from urllib.parse import quote

from quart import Response, request
from werkzeug.http import parse_etags, parse_range_header

from quartchat.storage.base import Storage

# What a browser shows or plays by itself, and runs nothing of.
INLINE = frozenset(
    {f"image/{name}" for name in ("jpeg", "png", "gif", "webp", "avif")}
    | {f"video/{name}" for name in ("mp4", "webm", "ogg", "quicktime")}
    | {f"audio/{name}" for name in ("mpeg", "mp4", "ogg", "wav", "x-wav", "flac", "webm", "aac")}
)
POLICY = "default-src 'none'; sandbox"
# A film that is opened by itself is fetched once more, by the page that the browser makes for it.
POLICY_INLINE = "default-src 'none'; img-src 'self'; media-src 'self'; sandbox allow-same-origin"
HEADERS = {
    # What an address gives never changes; whether it may be had, the server is asked each time.
    "Cache-Control": "private, no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Accept-Ranges": "bytes",
}


@dataclass(frozen=True, slots=True)
class Content:
    digest: str
    size: int
    mime_type: str
    name: str

    def headers(self, *, download: bool) -> dict[str, str]:
        is_shown = self.mime_type in INLINE and not download
        kind = "inline" if is_shown else "attachment"
        charset = "; charset=utf-8" if self.mime_type.startswith("text/") else ""
        return {
            **HEADERS,
            "Content-Security-Policy": POLICY_INLINE if is_shown else POLICY,
            "Content-Type": self.mime_type + charset,
            "Content-Disposition": f"{kind}; {_named(self.name)}",
            "ETag": self.quoted_etag,
        }

    @property
    def etag(self) -> str:
        return self.digest[:32]

    @property
    def quoted_etag(self) -> str:
        return f'"{self.etag}"'


def _named(name: str) -> str:
    """RFC 6266: the name as it is, and for old programs what of it is ASCII."""
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in name)
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def respond(storage: Storage, content: Content) -> Response:
    """200, 206 for one range, 304, or 416. Raises FileNotFoundError."""
    headers = content.headers(download=request.args.get("download") == "1")
    if is_held(content):
        return Response("", 304, headers=headers)
    status, (start, stop) = 200, (0, content.size)
    if asked := _asked_for(content):
        status, (start, stop) = 206, _bounds(*asked, content.size)
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    if start >= stop:
        return Response("", 416, headers={**headers, "Content-Range": f"bytes */{content.size}"})
    if request.method == "HEAD":
        response = Response("", status, headers=headers)
    else:
        pieces = storage.read(content.digest, start, stop - start)
        response = Response(_Body(await anext(pieces, b""), pieces), status, headers=headers)
    response.content_length = stop - start
    response.timeout = None  # a slow line may take as long as it needs
    return response


def is_held(content: Content) -> bool:
    """Whether the reader says that they have it."""
    return parse_etags(request.headers.get("If-None-Match")).contains_weak(content.etag)


def _asked_for(content: Content) -> tuple[int, int | None] | None:
    """The one range, if it is one of what the reader has; not of a HEAD. All else is answered
    with the whole."""
    asked = parse_range_header(request.headers.get("Range"))
    has = request.headers.get("If-Range", content.quoted_etag)
    if request.method == "HEAD" or has != content.quoted_etag:
        return None
    is_one = asked is not None and asked.units == "bytes" and len(asked.ranges) == 1
    return asked.ranges[0] if asked is not None and is_one else None


def _bounds(start: int, stop: int | None, size: int) -> tuple[int, int]:
    """Of a range in so many bytes; a `start` below 0 counts from the end."""
    if start < 0:
        return max(0, size + start), size
    return start, size if stop is None else min(stop, size)


class _Body:
    """Ends what it reads from also where it was never begun, unlike a generator."""

    def __init__(self, first: bytes, pieces: AsyncGenerator[bytes]) -> None:
        self._first, self._pieces = first, pieces

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        if first := self._first:
            self._first = b""
            return first
        return await anext(self._pieces)

    async def aclose(self) -> None:
        await self._pieces.aclose()
