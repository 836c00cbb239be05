"""Short forms of what people wrote, for quotes, notifications and lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quartchat.chat.markdown import plain

EXCERPT = 140


@dataclass(frozen=True, slots=True)
class Gist:
    """A message in short: its text, or the names of its files; and its first picture, small."""

    text: str
    thumbnail_url: str | None = None


def gist(content: str, attachments: Sequence[dict[str, Any]]) -> Gist:
    names = ", ".join(one["name"] for one in attachments)
    pictures = (one["thumbnail_url"] for one in attachments)
    text = excerpt(content) if content.strip() else cut(names)
    return Gist(text, next(filter(None, pictures), None))


def gist_of(row: Any) -> Gist:
    """The same of a row of `messages`."""
    return gist(row.content, json.loads(row.attachments))


def excerpt(content: str, longest: int = EXCERPT) -> str:
    """The text without its Markdown signs in one line, cut where it is longer."""
    text = plain(content) or " ".join(content[: longest * 4].split())
    return cut(text, longest)


def cut(text: str, longest: int = EXCERPT) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
