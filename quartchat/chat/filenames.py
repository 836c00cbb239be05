"""The names that people's files have: shown, and offered when they are saved."""

from __future__ import annotations

import unicodedata

LONGEST = 200  # bytes of UTF-8, the ending included: file systems take 255
LONGEST_ENDING = 16  # characters
# Windows opens devices by these, whatever the ending.
DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
)


def clean_name(name: str) -> str:
    """A name without folders, without characters that cannot be seen or that turn the writing
    around, that every file system takes; `file` where nothing is left."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    plain = "".join("_" if char in '<>:"|?*' else char for char in seen)
    kept = _short(" ".join(plain.split()).strip(". "))
    if kept.partition(".")[0].strip().lower() in DEVICES:
        return f"_{kept}"
    return kept or "file"


def _short(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    return _cut(stem, LONGEST - len(f"{dot}{ending}".encode())) + dot + ending


def _cut(text: str, most: int) -> str:
    """As many of its characters as `most` bytes hold, without a dot or space where it was cut."""
    data = text.encode()
    return text if len(data) <= most else data[:most].decode(errors="ignore").rstrip(". ")
