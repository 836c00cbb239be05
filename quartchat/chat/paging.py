"""Pages of lists: how many, and the opaque text by which the next one is asked for."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from quartchat.chat.core import is_storable
from quartchat.errors import Invalid

MAX_PAGE = 100
MAX_QUERY = 100  # characters
T = TypeVar("T")


def mark(place: Sequence[Any]) -> str:
    """A place in a list as text for addresses."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read_mark(text: str | None, kind: type[T], field: str) -> T | None:
    """The place, of the shape `kind`; None where none is given. Raises Invalid."""
    if not text:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Invalid(
            'Take the value of "{name}" from the page before.', field=field, name=field
        ) from error


def bounded(limit: int) -> int:
    return max(1, min(limit, MAX_PAGE))


def check_query(q: str) -> str:
    """What is searched for, without outer spaces. Raises Invalid."""
    q = q.strip()
    if len(q) > MAX_QUERY or not is_storable(q):
        raise Invalid("Search for at most {most} characters.", field="q", most=MAX_QUERY)
    return q


def cut(
    rows: list[T], limit: int, place: Callable[[T], Sequence[Any]]
) -> tuple[list[T], str | None]:
    """One page of rows, of which one more than `limit` was read; and the mark of where it ended,
    None at the end of the list."""
    page = rows[:limit]
    return page, mark(place(page[-1])) if len(rows) > limit else None
