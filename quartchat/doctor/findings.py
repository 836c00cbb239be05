"""All that can be wrong on the way, by name."""

from __future__ import annotations

from quartchat.doctor.findings_events import LATE, SOCKETS, STREAMS
from quartchat.doctor.findings_reach import REACH
from quartchat.doctor.findings_requests import REQUESTS
from quartchat.doctor.verdict import Kind

KINDS: dict[str, Kind] = REACH | SOCKETS | STREAMS | LATE | REQUESTS
