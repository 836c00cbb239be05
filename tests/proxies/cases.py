"""All cases, in the order of the table."""

from __future__ import annotations

from proxies import apache, caches, forward, haproxy, mitm, nginx, relays, small, squid
from proxies.case import Case

TABLES = (relays, nginx, haproxy, apache, caches, small, squid, forward, mitm)
CASES: list[Case] = [case for module in TABLES for case in module.TABLE.cases]
assert len({case.name for case in CASES}) == len(CASES)
