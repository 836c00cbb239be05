"""The shapes of ASGI, and the keys under which the edge adds to a scope.

`scope[WINDOW]`, WebSockets only: an object whose `consumed()` the handler calls once for
each frame that it has dealt with; without it reading stops at `Limits.window_frames`.
`scope["state"][WRITER]`: the asyncio.StreamWriter of the connection, for who writes shared
bytes straight to the transport. `scope["state"][CONNECTION]`: the edge's Connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

WINDOW = "quartchat.window"
WRITER = "quartchat.writer"
CONNECTION = "quartchat.connection"
