"""What the server and its programs agree on."""

from __future__ import annotations

MAX_BYTES = 5 * 2**20  # of a profile picture
MAX_PIXELS = 67_000_000  # of any picture: a phone's 64 megapixels fit
# Their encoders want several times the memory of others.
FEWER_PIXELS = {"WEBP": 36_000_000, "AVIF": 36_000_000}
SIDE = 256
SECONDS = 10  # for a profile picture
FILE_SECONDS = 60  # for a file of a chat
MEMORY = 2**30  # bytes of address space, for a profile picture
FILE_MEMORY = 3 * 2**29
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
# Exit codes of the programs.
BROKEN, TOO_MANY_PIXELS, NO_ROOM = 3, 4, 5
