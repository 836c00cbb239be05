"""Routes whose builders are compiled once in a process, not once for each of the thousands of
applications that tests make: werkzeug's compiler took a fifth of their time."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import Rule

_compile: Any = Rule._compile_builder
_builders: dict[tuple[object, ...], Any] = {}


def _builder(rule: Any, append_unknown: bool = True) -> Any:
    """It depends on nothing else of the rule: that it gets when it is called."""
    key = (rule.rule, repr(rule.defaults), tuple(rule._trace), append_unknown)
    if key not in _builders:
        _builders[key] = _compile(rule, append_unknown)
    return _builders[key]


def compile_once() -> None:
    Rule._compile_builder = _builder  # type: ignore[assignment]
