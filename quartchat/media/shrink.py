"""Runs the program `picture` for a server."""

from __future__ import annotations

from quartchat.errors import ChatError, Invalid, TooLarge
from quartchat.media.run import run
from quartchat.media.terms import MAX_BYTES, MAX_PIXELS, SECONDS, TOO_MANY_PIXELS
from quartchat.media.turns import turn


async def square(data: bytes) -> bytes:
    """A picture as a square WebP of at most 256 pixels a side. Raises Invalid, TooLarge (both
    with the field "picture"), Unavailable (too many at once)."""
    if not data:
        raise Invalid("Choose a picture: the file is empty.", field="picture")
    if len(data) > MAX_BYTES:
        raise too_large()
    async with turn():
        status, small = await run("quartchat.media.picture", data=data, seconds=SECONDS)
    if status:
        raise _refusal(status)
    return small


def too_large() -> ChatError:
    most = MAX_BYTES // 2**20
    return TooLarge("A picture is at most {most} MB large.", field="picture", most=most)


def _refusal(status: int) -> ChatError:
    if status == TOO_MANY_PIXELS:
        return Invalid(
            "This picture has too many pixels; {most} million are allowed.",
            field="picture",
            most=MAX_PIXELS // 1_000_000,
        )
    return Invalid(
        "This is not a picture that can be read here; send JPEG, PNG, GIF or WebP.",
        field="picture",
    )
