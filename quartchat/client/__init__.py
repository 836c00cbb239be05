"""The Python client: send messages, and follow events over whatever gets through."""

from __future__ import annotations

from quartchat.client.client import Client
from quartchat.client.errors import Broken, ClientError, Refused, Unreachable

__all__ = ["Broken", "Client", "ClientError", "Refused", "Unreachable"]
