"""One open connection: who it is, until when, and how it is told to end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from quartchat.auth.tokens import Identity
from quartchat.bus.base import Wake
from quartchat.errors import ChatError


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The server goes down: come back after so many milliseconds."""

    retry_ms: int


Ending = ChatError | Goodbye


@dataclass(eq=False, slots=True)
class Session:
    identity: Identity
    transport: str
    address: str
    expires_at: float
    ending: Ending | None = None
    warned: bool = False
    opened_at: float = field(default_factory=time.time)
    _wake: Wake | None = field(default=None, repr=False)

    @property
    def user_id(self) -> str:
        return self.identity.user_id

    def attach(self, wake: Wake) -> None:
        self._wake = wake

    def end(self, ending: Ending) -> None:
        """The subscriber stops at once, and its transport tells the client why."""
        if self.ending is None:
            self.ending = ending
        self.nudge()

    def renew(self, expires_at: float) -> None:
        """A new token came: the connection goes on with it."""
        self.expires_at, self.warned = expires_at, False
        self.nudge()

    def nudge(self) -> None:
        if self._wake is not None:
            self._wake.set()
