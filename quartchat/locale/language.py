"""Which languages there are, and which one the present request is answered in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """`name`: as its speakers call it; `direction`: of its script, ltr or rtl."""

    name: str
    direction: str = "ltr"


LOCALES = {
    "en": Language("English"),
    "ru": Language("Русский"),
    "uk": Language("Українська"),
}
DEFAULT = "en"

_current: ContextVar[str] = ContextVar("language", default=DEFAULT)


def current() -> str:
    """The code of the language that is spoken now."""
    return _current.get()


def speak(code: str) -> None:
    """Speak this language from here on, in this task and those that it starts."""
    _current.set(code if code in LOCALES else DEFAULT)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak this language inside the block."""
    token = _current.set(code if code in LOCALES else DEFAULT)
    try:
        yield
    finally:
        _current.reset(token)
