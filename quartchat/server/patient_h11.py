"""HTTP/1 parsing that forgives what comes after the last request of a connection.

w3m, like other old clients, sends a line break behind the body of a form and asks for no
second request. h11 takes the break for a protocol error, and the request would fail.
"""

from __future__ import annotations

from typing import Any

import h11


class PatientConnection(h11.Connection):
    _over = False

    def next_event(self) -> Any:
        """As in h11; once the client can send no further request, what it sends is no event."""
        self._over = self._over or self.their_state in (h11.MUST_CLOSE, h11.CLOSED)
        try:
            return super().next_event()
        except h11.RemoteProtocolError:
            if self._over:
                return h11.NEED_DATA
            raise
