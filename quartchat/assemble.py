"""Puts the parts together in the order in which they need each other."""

from __future__ import annotations

import time
from collections.abc import Callable

from quartchat.auth.issuer import issuer_from
from quartchat.auth.keys import derive, load_or_create_key
from quartchat.auth.refresh import RefreshTokens
from quartchat.auth.tokens import Tokens
from quartchat.bus.local import LocalBus
from quartchat.chat.accounts import Accounts, Live
from quartchat.chat.admin import Admin
from quartchat.chat.commands import Commands
from quartchat.chat.core import Core
from quartchat.chat.incoming import Incoming
from quartchat.chat.keeping import Keeper
from quartchat.chat.logins import Logins
from quartchat.chat.presence import Presence
from quartchat.chat.redaction import REMOVED
from quartchat.chat.sweeping import Sweeper
from quartchat.chat.uploads import Uploads
from quartchat.config import Settings
from quartchat.delivery.feed import Feed
from quartchat.delivery.scopes import Scopes
from quartchat.delivery.sessions import Sessions
from quartchat.errors import Unauthenticated
from quartchat.limits import Buckets
from quartchat.operator import Operator
from quartchat.server.limits import Limits
from quartchat.services import Fragment, Services
from quartchat.storage.opening import open_storage
from quartchat.store import rooms
from quartchat.store.engine import Database
from quartchat.store.tail import Tail
from quartchat.store.writer import Writer

Clock = Callable[[], float]
ENVELOPE = 256 * 2**10  # bytes of a form around its files
# New accounts from one address: a class may sign up together, a program may not fill the table.
SIGNUPS_PER_SECOND, SIGNUPS_AT_ONCE = 0.5, 40


def assemble(
    settings: Settings, fragments: Callable[[str], Fragment], clock: Clock = time.time
) -> Services:
    """Services over one SQLite file in `settings.data`, which is made where it is missing."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database, bus = Database.sqlite(settings.database), LocalBus()
    scopes = Scopes(lambda user: database.read(lambda c: rooms.since(c.execute, user)))
    feed = Feed(database, Tail(settings.tail_bytes), bus, scopes)
    writer = Writer(database, feed.committed, clock)
    storage, incoming = open_storage(settings), Incoming(settings.data / "files" / "incoming")
    key = load_or_create_key(settings.data)
    core = Core(settings, database, writer, bus, clock, derive(key, "ids"))
    presence = Presence(core)
    keeper = Keeper(core, storage, incoming)
    uploads = Uploads(core, incoming, keeper, _uploads_rate(settings))
    sweeper = Sweeper(core, incoming, keeper, uploads)
    writer.on_commit.append(sweeper.committed)
    sessions = Sessions(0 if settings.no_limits else settings.connections_per_user)
    sessions.on_open = lambda new: presence.hold(new.user_id, is_new=new.transport != "poll")
    sessions.on_close = lambda closed: presence.release(closed.user_id)
    feed.on_removed = lambda user_id: sessions.end_all_of(user_id, Unauthenticated(REMOVED))
    tokens = Tokens(key, issuer=issuer_from(settings), clock=clock)
    logins = Logins(core, tokens, RefreshTokens(key), sessions.revoke, sessions.renew)
    live = Live(lambda: sessions, sessions.revoke, lambda: feed.tail.size)
    return Services(
        settings=settings,
        clock=clock,
        core=core,
        database=database,
        writer=writer,
        feed=feed,
        sessions=sessions,
        presence=presence,
        storage=storage,
        uploads=uploads,
        sweeper=sweeper,
        commands=Commands(core, presence, time.monotonic),
        tokens=tokens,
        logins=logins,
        accounts=Accounts(core, live),
        admin=Admin(core, presence, live),
        operator=Operator(core, presence),
        requests=_buckets(settings.requests_per_second, settings.requests_per_second * 2),
        guesses_from=_buckets(settings.logins_per_minute / 60, settings.logins_per_minute),
        guesses_at=_buckets(settings.logins_per_minute / 6, settings.logins_per_minute * 10),
        publishes=_buckets(settings.publish_per_second, settings.publish_per_second * 2),
        signups=_buckets(SIGNUPS_PER_SECOND, SIGNUPS_AT_ONCE),
        setup_code=derive(key, "setup code").hex()[:24],
        fragments=fragments,
    )


def limits_of(settings: Settings) -> Limits:
    """What the edge lets in: a form brings as many files as a message takes."""
    return Limits(
        max_frame=settings.max_frame,
        max_body=2 * settings.max_frame,
        max_upload=settings.max_upload * settings.max_attachments + ENVELOPE,
    )


def _uploads_rate(settings: Settings) -> Buckets | None:
    each_minute = settings.uploads_per_minute
    return None if settings.no_limits else _buckets(each_minute / 60, each_minute)


def _buckets(rate: float, burst: float) -> Buckets:
    return Buckets(rate, max(1.0, burst), time.monotonic)
