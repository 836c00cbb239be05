"""Who may see what: for each user the topics, and from which event on. Decided anew whenever
a page is read, from a cache that the log's own events of joining and leaving keep right."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from quartchat.events import ALL, Event, chat_of, chat_topic, user_topic

MAX_CACHED = 20_000
LEFT, NOTIFICATION, REMOVED = "user_left", "notification", "user_removed"
# What tells of a message that may be older than the reader's joining.
_OF_MESSAGES = frozenset({"message_edited", "message_deleted", "message_reacted", "message_pinned"})
# What is told to a user about one of their chats.
ABOUT_A_CHAT = frozenset({LEFT, "messages_read", "chat_settings"})
_CHANGES = frozenset({"user_joined", LEFT, "chat_created"})


@dataclass(frozen=True, slots=True)
class Scope:
    """`since`: topic -> id of the first event that may be seen. `back`: topic -> id of the first
    message that may be read back, of those chats that do not show all their history. `only`: the
    chats that the reader asked for, or None for all."""

    user_id: str
    since: Mapping[str, int]
    only: frozenset[str] | None = None
    back: Mapping[str, int] = field(default_factory=dict)

    def starts(self, cursor: int) -> dict[str, int]:
        """Topic -> the id after which to read."""
        return {topic: max(cursor, first - 1) for topic, first in self.since.items()}

    def narrow(self, chats: Collection[str] | None) -> Scope:
        """The part about some chats; of what is addressed to the user only what is about them."""
        if chats is None:
            return self
        keep = {chat_topic(chat) for chat in chats} | {user_topic(self.user_id), ALL}
        since = {topic: first for topic, first in self.since.items() if topic in keep}
        return Scope(self.user_id, since, frozenset(chats), self.back)

    def picks(self, events: Iterable[Event]) -> bool:
        """Whether there may be one among these that is not shown."""
        if self.only is not None:
            return True
        if not self.back:
            return any(event.type == NOTIFICATION for event in events)
        return any(event.type == NOTIFICATION or event.type in _OF_MESSAGES for event in events)

    def shows(self, event: Event) -> bool:
        """Whether this reader gets an event that one of its topics brought."""
        if event.topic not in self.since:
            return False
        if chat_of(event.topic) is not None:
            return event.type not in _OF_MESSAGES or self._may_read(event)
        if event.type == NOTIFICATION and not self._may_be_told(event):
            return False
        if self.only is None:
            return True
        if event.type == REMOVED:  # what they wrote in these chats is gone, too
            return True
        return event.type in ABOUT_A_CHAT and event.fields().get("chat_id") in self.only

    def _may_read(self, event: Event) -> bool:
        """Nothing is told of a message from before, where one may not read it back."""
        first = self.back.get(event.topic, 0)
        return first == 0 or int(event.form("message_id", _message_id)) >= first

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


def _message_id(event: Event) -> bytes:
    """Of the message that it tells of; decoded once for all readers."""
    return str(event.fields()["message_id"]).encode()


class Scopes:
    def __init__(self, load: Callable[[str], Awaitable[Mapping[str, tuple[int, int]]]]) -> None:
        """`load(user_id)` gives chat id -> the ids of the first event that may be seen and of the
        first message that may be read back (0: all), as committed."""
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
        since = {chat_topic(chat): first for chat, (first, _) in chats.items()}
        back = {chat_topic(chat): first for chat, (_, first) in chats.items() if first}
        return Scope(user_id, {**since, user_topic(user_id): 0, ALL: 0}, None, back)

    def _keep(self, scope: Scope) -> None:
        self._cache[scope.user_id] = scope
        while len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)

    def is_current(self, scope: Scope) -> bool:
        return self._cache.get(scope.user_id) is scope

    def take_in(self, events: Iterable[Event]) -> list[str]:
        """Forget what these events change; the users whose chats are others from now on."""
        changed: list[str] = []
        for event in events:
            changed += affected(event)
            if event.type == "chat_updated" and "history" in event.fields():
                self.forget([who for who, one in self._cache.items() if event.topic in one.since])
                self._loads.clear()  # what is being read now may be older
        self.forget(changed)
        return changed

    def forget(self, users: Iterable[str]) -> None:
        for user_id in users:
            self._cache.pop(user_id, None)
            self._loads.pop(user_id, None)
