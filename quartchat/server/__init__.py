"""The edge: listening sockets, limits, drain, and the guards around Hypercorn.

`sockets.open_socket` binds, `run.run` brings the loop and the signals, `run.serve` serves.
"""

from quartchat.server.body import wrap
from quartchat.server.limits import Limits

__all__ = ["Limits", "wrap"]
