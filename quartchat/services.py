"""Everything that a request may need, put together once by `app.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quartchat.auth.tokens import Tokens
from quartchat.chat.commands import Commands
from quartchat.chat.core import Core
from quartchat.chat.logins import Logins
from quartchat.chat.presence import Presence
from quartchat.config import Settings
from quartchat.delivery.feed import Feed
from quartchat.delivery.sessions import Sessions
from quartchat.events import Event
from quartchat.limits import Buckets
from quartchat.store.engine import Database
from quartchat.store.writer import Writer


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
    commands: Commands
    tokens: Tokens
    logins: Logins
    requests: Buckets
    # Wrong passwords: by address, and by name.
    guesses_from: Buckets
    guesses_at: Buckets
    signups: Buckets
    # Proves to be the operator's: who signs up with it is the first administrator.
    setup_code: str
    # The HTML that a page shows for an event, or None where it shows nothing.
    fragment: Callable[[Event], str | None]
