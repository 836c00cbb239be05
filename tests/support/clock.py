"""A clock that a test sets."""

from __future__ import annotations

import time


class Clock:
    """Runs like the real one, moved by what a test says; `stop()` freezes it."""

    def __init__(self) -> None:
        self._shift = 0.0
        self._fixed: float | None = None

    def __call__(self) -> float:
        return (time.time() if self._fixed is None else self._fixed) + self._shift

    def stop(self, at: float | None = None) -> None:
        self._fixed, self._shift = (time.time() if at is None else at), 0.0

    def move(self, seconds: float) -> None:
        self._shift += seconds
