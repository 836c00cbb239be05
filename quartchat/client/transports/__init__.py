"""The ways in which events reach this client: one small file each, all of one shape.

A transport is a function that takes an `Ask` and yields events, as the protocol has them,
until the connection ends; "come back in N ms" is always `goodbye`. For a connection that does
not work it raises Refused, Broken, or what its library raises. It does not reconnect.
"""

from __future__ import annotations

from quartchat.client.transports.base import Ask, Transport
from quartchat.client.transports.poll import poll
from quartchat.client.transports.sse import sse
from quartchat.client.transports.stream import stream
from quartchat.client.transports.ws import ws

TRANSPORTS: dict[str, Transport] = {"ws": ws, "stream": stream, "sse": sse, "poll": poll}

__all__ = ["TRANSPORTS", "Ask", "Transport"]
