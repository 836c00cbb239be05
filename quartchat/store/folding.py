"""Text without the difference of capitals, the same on every database and every Python."""

from __future__ import annotations

import unicodedata


def is_new(char: str) -> bool:
    """Whether an index of a database may not know the case of this character: it is younger
    than Unicode 3.2 (of these only the capital ß is known to all)."""
    return unicodedata.ucd_3_2_0.category(char) == "Cn" and char != "ẞ"


def is_known(folded: str) -> bool:
    """Whether every index folds to this text what `fold` folds to it."""
    return not any(map(_is_doubtful, folded)) if not folded.isascii() else True


def _is_doubtful(char: str) -> bool:
    has_case = not char.upper() == char.lower() == char.casefold()
    return (has_case and is_new(char)) or char in "\ufffe\uffff"


def _folded(char: str) -> str:
    folded = char.casefold() if len(char.casefold()) == 1 else char.lower()
    if len(folded) != 1 or (is_new(char) and not is_new(folded)):
        return char
    return folded


class _Folding(dict[int, str]):
    def __missing__(self, code: int) -> str:
        return self.setdefault(code, _folded(chr(code)))


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Simple case folding: the folded text is as long as the text, so that places in the one
    are places in the other. A letter stays as it is whose partner is much older than itself,
    as the capitals of Georgian: indexes may take the two for different."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)
