"""Refresh tokens: `sid.generation.mac`, where the mac proves that this server made them.

They carry nothing but the session and how often it was renewed; whether that generation is
the newest, or was used before, the session store knows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from quartchat.auth.keys import derive
from quartchat.errors import Unauthenticated

FORM = re.compile(r"([A-Za-z0-9_-]{1,64})\.(0|[1-9][0-9]{0,14})\.([A-Za-z0-9_-]{43})")


class RefreshTokens:
    """Makes and reads them with a key derived from the server's own."""

    def __init__(self, key: bytes) -> None:
        self._key = derive(key, "refresh token 1")

    def make(self, sid: str, generation: int) -> str:
        """The token. Raises ValueError for a sid that is not of `[A-Za-z0-9_-]`, 1 to 64."""
        token = f"{sid}.{generation}.{self._mac(sid, generation)}"
        if not FORM.fullmatch(token):
            raise ValueError(f"no session id or generation: {sid!r}, {generation!r}")
        return token

    def parse(self, token: str) -> tuple[str, int]:
        """(sid, generation) of a token made here. Raises Unauthenticated for any other."""
        match = FORM.fullmatch(token)
        if match is None:
            raise Unauthenticated("This is not a refresh token; log in again.")
        sid, generation = match[1], int(match[2])
        if not hmac.compare_digest(match[3], self._mac(sid, generation)):
            raise Unauthenticated("This refresh token was not made here; log in again.")
        return sid, generation

    def _mac(self, sid: str, generation: int) -> str:
        mac = hmac.digest(self._key, f"{sid}.{generation}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")
