"""Texts in the language that is spoken now. The English text is the key; what has no
translation stays English."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from quartchat.locale.language import DEFAULT, current

FOLDER = Path(__file__).parent


def _(text: str, **params: Any) -> str:
    """The text, with `{names}` filled in from `params`."""
    found = gettext(text)
    return found.format(**params) if params else found


def ngettext(one: str, many: str, n: int, **params: Any) -> str:
    """The form of the text that goes with `n`, with `{n}` and other `{names}` filled in."""
    return plural(one, many, n).format(**{"n": n, **params})


def gettext(text: str) -> str:
    """The text as it stands in the catalogue, nothing filled in."""
    return catalogue(current()).gettext(text) if text else ""


def plural(one: str, many: str, n: int) -> str:
    """The same for a text that depends on a number."""
    return catalogue(current()).ngettext(one, many, n)


def later(text: str) -> str:
    """Marks a text that is translated elsewhere, where it is shown: `_(SOME_TEXT)`."""
    return text


@cache
def catalogue(code: str) -> NullTranslations:
    """Read when somebody first speaks the language."""
    if code == DEFAULT:
        return NullTranslations()
    with (FOLDER / f"{code}.mo").open("rb") as file:
        return GNUTranslations(file)


@cache
def for_scripts(code: str) -> str:
    """The texts that scripts use, as a JSON object that may stand inside HTML; "" for the
    language in which they are written."""
    return "" if code == DEFAULT else (FOLDER / f"{code}.json").read_text(encoding="utf-8").strip()
