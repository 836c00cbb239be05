"""Bytes that people typed on IRC, as text that can be shown."""

from __future__ import annotations

import re
import unicodedata

# Colour with its numbers, then bold, italics and the like: the codes of mIRC.
FORMAT = re.compile(
    r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6})?|[\x02\x0f\x11\x16\x1d-\x1f]"
)
BREAKS = re.compile("[\u2028\u2029\u0085\x0b\x0c]")


def decode(raw: bytes) -> str:
    """UTF-8, else Windows-1252, else Latin-1, which takes every byte."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def clean(text: str) -> str:
    """Without colours and control characters; tabs stay, breaks within become spaces."""
    text = BREAKS.sub(" ", FORMAT.sub("", text))
    if text.isprintable():
        return text
    return "".join(c for c in text if c == "\t" or unicodedata.category(c) not in ("Cc", "Cs"))
