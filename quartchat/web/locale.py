"""The language and the theme that the present request is answered in.

Pages import their texts from here: `from quartchat.web.locale import _, ngettext`.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from quartchat.locale.language import DEFAULT, LOCALES, Language, current, speak, speaking
from quartchat.locale.texts import _, gettext, later, ngettext

__all__ = [
    "DEFAULT",
    "LOCALES",
    "THEMES",
    "Language",
    "Look",
    "_",
    "current",
    "gettext",
    "later",
    "look",
    "ngettext",
    "show",
    "speak",
    "speaking",
]

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Look:
    """What the reader chose. `language`: one of LOCALES, or "" for as the browser has it;
    `theme`: one of THEMES, or "" for as the system has it; `here`: the page that the form of
    these choices comes back to."""

    language: str = ""
    theme: str = ""
    here: str = "/"


_look: ContextVar[Look] = ContextVar("look", default=Look())  # noqa: B039  (frozen)


def look() -> Look:
    return _look.get()


def show(chosen: Look) -> None:
    """Show pages like this from here on, in this task."""
    _look.set(chosen)
