"""What the server and its programs agree on."""

from __future__ import annotations

MAX_BYTES = 5 * 2**20  # of a profile picture
MAX_PIXELS = 67_000_000  # of any picture: a phone's 64 megapixels fit
SIDE = 256
SECONDS = 10  # for a profile picture
FILE_SECONDS = 60  # for a file of a chat
MEMORY = 2**30  # bytes of address space, for a profile picture
FILE_MEMORY = 3 * 2**29
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
# Exit codes of the programs.
BROKEN, TOO_MANY_PIXELS = 3, 4
