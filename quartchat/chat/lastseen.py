"""When users were last here: noted in memory, written together, so that no request pays for it."""

from __future__ import annotations

import structlog

from quartchat.chat.core import Core
from quartchat.store import presence
from quartchat.store.writer import Transaction

log = structlog.get_logger("quartchat.presence")


class LastSeen:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._noted: dict[str, float] = {}

    def note(self, user_id: str, at: float) -> None:
        """At this moment (Unix seconds) they were here; kept by the second."""
        self._noted[user_id] = float(int(at))

    async def write(self) -> None:
        """All that was noted, in one transaction; what cannot be written now stays noted."""
        noted, self._noted = self._noted, {}
        if not noted:
            return

        async def work(tx: Transaction) -> None:
            presence.set_seen(tx, noted)

        try:
            await self._core.writer.do(work)
        except Exception as error:  # nobody waits for it, and the next time is soon
            log.warning("last_seen_lost", error=type(error).__name__)
            self._noted = {**noted, **self._noted}
