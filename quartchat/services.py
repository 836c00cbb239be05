"""Everything that a request may need, put together once by `app.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quartchat.auth.tokens import Tokens
from quartchat.chat.accounts import Accounts
from quartchat.chat.admin import Admin
from quartchat.chat.commands import Commands
from quartchat.chat.core import Core
from quartchat.chat.logins import Logins
from quartchat.chat.presence import Presence
from quartchat.chat.sweeping import Sweeper
from quartchat.chat.uploads import Uploads
from quartchat.config import Settings
from quartchat.delivery.feed import Feed
from quartchat.delivery.sessions import Sessions
from quartchat.events import Event
from quartchat.limits import Buckets
from quartchat.operator import Operator
from quartchat.storage.base import Storage
from quartchat.store.engine import Database
from quartchat.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Fragment:
    """The HTML of events in one language; None for what a page does not show."""

    locale: str
    # As a page with scripts puts it in place.
    of_event: Callable[[Event], str | None]
    # As it is appended to a page without scripts.
    of_stream: Callable[[Event], str | None]


def show_nothing(locale: str) -> Fragment:
    """For programs that have no pages."""
    return Fragment(locale, lambda event: None, lambda event: None)


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    clock: Callable[[], float]
    core: Core
    database: Database
    writer: Writer
    feed: Feed
    sessions: Sessions
    presence: Presence
    storage: Storage
    uploads: Uploads
    sweeper: Sweeper
    commands: Commands
    tokens: Tokens
    logins: Logins
    accounts: Accounts
    admin: Admin
    operator: Operator
    requests: Buckets
    # Wrong passwords: by address, and by name.
    guesses_from: Buckets
    guesses_at: Buckets
    # By publish key.
    publishes: Buckets
    signups: Buckets
    # Proves to be the operator's: who signs up with it is the first administrator.
    setup_code: str
    # What pages show of events, by the code of a language.
    fragments: Callable[[str], Fragment]
