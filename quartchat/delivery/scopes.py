"""Who may see what: for each user the topics, and from which event on. Decided anew whenever
a page is read, from a cache that the log's own events of joining and leaving keep right."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from quartchat.events import ALL, Event, chat_of, chat_topic, user_topic

MAX_CACHED = 20_000
LEFT, NOTIFICATION = "user_left", "notification"
# What is told to a user about one of their chats.
ABOUT_A_CHAT = frozenset({LEFT, "messages_read", "chat_settings"})
_CHANGES = frozenset({"user_joined", LEFT, "chat_created"})


@dataclass(frozen=True, slots=True)
class Scope:
    """`since`: topic -> id of the first event that may be seen. `only`: the chats that the
    reader asked for, or None for all."""

    user_id: str
    since: Mapping[str, int]
    only: frozenset[str] | None = None

    def starts(self, cursor: int) -> dict[str, int]:
        """Topic -> the id after which to read."""
        return {topic: max(cursor, first - 1) for topic, first in self.since.items()}

    def narrow(self, chats: Collection[str] | None) -> Scope:
        """The part about some chats; of what is addressed to the user only what is about these chats."""
        if chats is None:
            return self
        keep = {chat_topic(chat) for chat in chats} | {user_topic(self.user_id)}
        since = {topic: first for topic, first in self.since.items() if topic in keep}
        return Scope(self.user_id, since, frozenset(chats))

    def shows(self, event: Event) -> bool:
        """Whether this reader gets an event that one of its topics brought."""
        if event.topic not in self.since:
            return False
        if chat_of(event.topic) is not None:
            return True
        if event.type == NOTIFICATION and not self._may_be_told(event):
            return False
        if self.only is None:
            return True
        return event.type in ABOUT_A_CHAT and event.fields().get("chat_id") in self.only

    def _may_be_told(self, event: Event) -> bool:
        """Nothing of a chat is told to who is not in it any more, also not in a notification."""
        chat = event.fields().get("chat_id")
        first = 0 if chat is None else self.since.get(chat_topic(chat))
        return first is not None and (event.id or 0) >= first


def affected(event: Event) -> list[str]:
    """The users whose scope this event changes."""
    if event.type not in _CHANGES:
        return []
    fields = event.fields()
    named = [fields.get("user_id"), *(fields.get("members") or [])]
    return [user for user in named if isinstance(user, str)]


class Scopes:
    def __init__(self, load: Callable[[str], Awaitable[Mapping[str, int]]]) -> None:
        """`load(user_id)` gives chat id -> first event id, as committed."""
        self._load = load
        self._cache: OrderedDict[str, Scope] = OrderedDict()
        self._loads: dict[str, asyncio.Task[Scope]] = {}

    async def of(self, user_id: str) -> Scope:
        """All connections of a user that ask at once share one read."""
        while user_id not in self._cache:
            load = self._loads.get(user_id)
            if load is None:
                load = self._loads[user_id] = asyncio.create_task(self._read(user_id))
            found = await asyncio.shield(load)
            if self._loads.get(user_id) is load:  # else they joined or left while it was read
                del self._loads[user_id]
                self._keep(found)
        self._cache.move_to_end(user_id)
        return self._cache[user_id]

    async def _read(self, user_id: str) -> Scope:
        try:
            chats = await self._load(user_id)
        except Exception:
            self._loads.pop(user_id, None)
            raise
        since = {chat_topic(chat): first for chat, first in chats.items()}
        return Scope(user_id, {**since, user_topic(user_id): 0, ALL: 0})

    def _keep(self, scope: Scope) -> None:
        self._cache[scope.user_id] = scope
        while len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)

    def is_current(self, scope: Scope) -> bool:
        return self._cache.get(scope.user_id) is scope

    def forget(self, users: Iterable[str]) -> None:
        for user_id in users:
            self._cache.pop(user_id, None)
            self._loads.pop(user_id, None)
