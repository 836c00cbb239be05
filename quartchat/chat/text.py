"""Short forms of what people wrote, for quotes, notifications and lists."""

from __future__ import annotations

from quartchat.chat.markdown import plain

EXCERPT = 140


def excerpt(content: str, longest: int = EXCERPT) -> str:
    """The text without its Markdown signs in one line, cut where it is longer."""
    text = plain(content) or " ".join(content[: longest * 4].split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
