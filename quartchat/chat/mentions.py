"""Finding `@name` in what people write."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"(?<![\w@])@([^\s@/,]{1,60})")
_AFTER = ".,:;!?)]}'\"»”…"
MOST = 50


def candidates(content: str) -> list[str]:
    """Names that may be meant, at most `MOST`: each as written and without punctuation behind."""
    found: dict[str, None] = {}
    for token in _TOKEN.findall(content):
        found[token] = None
        found[token.rstrip(_AFTER)] = None
    return [name for name in found if name][:MOST]
