"""Puts the parts together in the order in which they need each other."""

from __future__ import annotations

import time
from collections.abc import Callable

from quartchat.auth.issuer import issuer_from
from quartchat.auth.keys import derive, load_or_create_key
from quartchat.auth.refresh import RefreshTokens
from quartchat.auth.tokens import Tokens
from quartchat.bus.local import LocalBus
from quartchat.chat.commands import Commands
from quartchat.chat.core import Core
from quartchat.chat.logins import Logins
from quartchat.chat.presence import Presence
from quartchat.config import Settings
from quartchat.delivery.feed import Feed
from quartchat.delivery.scopes import Scopes
from quartchat.delivery.sessions import Sessions
from quartchat.events import Event
from quartchat.limits import Buckets
from quartchat.services import Services
from quartchat.store import rooms
from quartchat.store.engine import Database
from quartchat.store.tail import Tail
from quartchat.store.writer import Writer

Clock = Callable[[], float]
# New accounts from one address: a class may sign up together, a program may not fill the table.
SIGNUPS_PER_SECOND, SIGNUPS_AT_ONCE = 0.5, 40


def assemble(
    settings: Settings, fragment: Callable[[Event], str | None], clock: Clock = time.time
) -> Services:
    """Services over one SQLite file in `settings.data`, which is made where it is missing."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database, bus = Database.sqlite(settings.database), LocalBus()
    scopes = Scopes(lambda user: database.read(lambda c: rooms.since(c.execute, user)))
    feed = Feed(database, Tail(settings.tail_bytes), bus, scopes)
    writer = Writer(database, feed.committed, clock)
    core = Core(settings, database, writer, bus, clock)
    presence = Presence(core)
    sessions = Sessions(0 if settings.no_limits else settings.connections_per_user)
    sessions.on_open, sessions.on_close = presence.hold, presence.release
    key = load_or_create_key(settings.data)
    tokens = Tokens(key, issuer=issuer_from(settings), clock=clock)
    logins = Logins(core, tokens, RefreshTokens(key), sessions.revoke, sessions.renew)
    return Services(
        settings=settings,
        clock=clock,
        core=core,
        database=database,
        writer=writer,
        feed=feed,
        sessions=sessions,
        presence=presence,
        commands=Commands(core, presence, time.monotonic),
        tokens=tokens,
        logins=logins,
        requests=_buckets(settings.requests_per_second, settings.requests_per_second * 2),
        guesses_from=_buckets(settings.logins_per_minute / 60, settings.logins_per_minute),
        guesses_at=_buckets(settings.logins_per_minute / 6, settings.logins_per_minute * 10),
        signups=_buckets(SIGNUPS_PER_SECOND, SIGNUPS_AT_ONCE),
        setup_code=derive(key, "setup code").hex()[:24],
        fragment=fragment,
    )


def _buckets(rate: float, burst: float) -> Buckets:
    return Buckets(rate, max(1.0, burst), time.monotonic)
