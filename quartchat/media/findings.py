"""What is found out about a file that somebody sends."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["image", "video", "audio", "file"]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """`width` and `height` in pixels as it is shown, `duration` in seconds, `blur` a tiny WebP in
    base64. `clean` (the file without what it says of its maker), `small` and `large` (WebP, at
    most 320 and 1280 pixels) are names of files; without `clean` the file stays as it came,
    without `large` a picture is itself shown large."""

    kind: Kind
    mime_type: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    animated: bool = False
    blur: str | None = None
    clean: str | None = None
    small: str | None = None
    large: str | None = None

    def files(self) -> list[str]:
        return [name for name in (self.clean, self.small, self.large) if name is not None]
