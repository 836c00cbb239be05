"""Catalogues of a test's own, in the place of the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from quartchat.locale import texts
from support import catalogues

Texts = Mapping[str | tuple[str, str], str | tuple[str, ...]]
IN_SCRIPT = [("static/js/some.js", 1)]


@contextmanager
def translated(folder: Path, ru: Texts, uk: Texts | None = None) -> Iterator[None]:
    """The interface knows these texts, and no others, in Russian and in Ukrainian; all of them
    for scripts too."""
    for code, known in (("ru", ru), ("uk", uk or {})):
        catalog = Catalog(locale=code)
        for text, translation in known.items():
            catalog.add(text, translation, IN_SCRIPT)
        (folder / f"{code}.mo").write_bytes(catalogues.compiled(catalog))
        (folder / f"{code}.json").write_text(catalogues.for_scripts(catalog), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "FOLDER", folder)
        _forget()
        yield
    _forget()


def _forget() -> None:
    texts.catalogue.cache_clear()
    texts.for_scripts.cache_clear()
