"""What is concluded from what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from quartchat.doctor.measured import Measured


class Weight(IntEnum):
    NOTE = 0
    """good to know; nothing suffers"""
    HINDERS = 1
    """something does not work, or not well; quartchat goes around it"""
    STOPS = 2
    """nothing gets through"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be found, in words: what it `says` (with the finding's params in braces), `means`,
    and what whoever sits here may `do`. `recipe`: a key of `recipes.RECIPES`, for whoever runs the
    server or a proxy in front of it."""

    weight: Weight
    says: str
    means: str
    do: str = ""
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """`name`: a key of `findings.KINDS`; `params` fill its texts."""

    name: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """How one transport does. `state`: works, hindered, fails, or untried; `first`, `delay`: ms, to
    its first event or answer, and what is added to each event."""

    name: str
    state: str
    first: float = 0.0
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome`: 0 all well, 1 something is hindered but a transport works, 2 nothing works."""

    measured: Measured
    ways: list[Way]
    findings: list[Finding]
    outcome: int
