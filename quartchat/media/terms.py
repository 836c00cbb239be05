"""What the server and its program agree on."""

from __future__ import annotations

MAX_BYTES = 5 * 2**20
MAX_PIXELS = 50_000_000
SIDE = 256
SECONDS = 10
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
# Exit codes of the program.
BROKEN, TOO_MANY_PIXELS = 3, 4
