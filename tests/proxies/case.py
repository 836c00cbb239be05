"""What a case is: a proxy, how it is started, and what the browser is told about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from proxies.place import Place

NAME = "quartchat.test"  # leads to loopback in the browsers here: plain http with a host name


@dataclass
class Door:
    """Where the browser goes: `url` of the site, and `proxy` (http://host:port) if it needs one.

    `begin`, if there, makes the way bad; it is awaited when both pages are live.
    """

    url: str
    proxy: str | None = None
    begin: Callable[[], Awaitable[None]] | None = None
    login: tuple[str, str] | None = None

    @property
    def host(self) -> str | None:
        return urlsplit(self.url).hostname


@dataclass(frozen=True)
class Case:
    """`start` opens a door; `needs` are programs, by the names that `programs.py` knows.

    `h2`: the site itself speaks TLS and HTTP/2, at `place.up`.
    `fresh`: what the proxy does changes with time, so each leg has one of its own; `own`: so has
    each person. `ci`: runs in every test run.
    `calm`: few messages, as the way takes no more. `stall`: seconds that a message may take at
    most, `settle`: until all is there, after the last was written, `page`: for the page to load.
    """

    name: str
    start: Callable[[Place], Awaitable[Door]]
    needs: tuple[str, ...] = ()
    note: str = ""
    own: bool = False
    fresh: bool = False
    calm: bool = False
    h2: bool = False
    ci: bool = False
    firefox: bool = False
    stall: float = 12.0
    settle: float = 30.0
    page: float = 60.0


@dataclass
class Table:
    """The cases of one program; a module fills one."""

    cases: list[Case] = field(default_factory=list)

    def add(self, name: str, start: Callable[[Place], Awaitable[Door]], **more: object) -> None:
        self.cases.append(Case(name, start, **more))  # type: ignore[arg-type]


HERE = Path(__file__).parent
