"""What a notification says: `notification.data`, from an event's parts or from a row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from quartchat.addresses import chats_url
from quartchat.chat.redaction import GONE
from quartchat.chat.text import Gist, gist_of
from quartchat.events import DELETED_USER
from quartchat.locale.texts import later

TYPES = ("new_message", "mention", "friend_request", "friend_accepted", "new_follower")
_OF_PEOPLE = {
    "friend_request": later("{name} wants to be your friend."),
    "friend_accepted": later("{name} accepted your friend request."),
    "new_follower": later("{name} follows you now."),
}
# In a group, and in a direct chat.
_OF_MESSAGES = {
    "mention": (
        later("{name} mentioned you in {title}: {excerpt}"),
        later("{name} mentioned you: {excerpt}"),
    ),
    "reply": (
        later("{name} replied to you in {title}: {excerpt}"),
        later("{name} replied to you: {excerpt}"),
    ),
    "new_message": (
        later("{name} wrote in {title}: {excerpt}"),
        later("{name} wrote to you: {excerpt}"),
    ),
}


@dataclass(frozen=True, slots=True)
class Place:
    """The message that a notification is about."""

    chat_id: str
    kind: str
    title: str
    message_id: int
    said: Gist
    is_reply: bool = False
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    user_id: str
    type: str
    actor_id: str
    actor_name: str
    timestamp: str
    place: Place | None = None

    def data(self, event_id: int, *, read: bool = False) -> dict[str, Any]:
        """`notification.data`."""
        fields: dict[str, Any] = {
            "notification_id": str(event_id),
            "notification_type": self.type,
            "user_id": self.user_id,
            "message": "",
            "timestamp": self.timestamp,
            "read": read,
            "url": self._url(),
            "thumbnail_url": None,
            "actor": {"user_id": self.actor_id, "name": self.actor_name},
            **self._place(),
        }
        return {**fields, "message": sentence(fields)}

    def _place(self) -> dict[str, Any]:
        at = self.place
        if at is None:
            return {}
        fields = {
            "chat_id": at.chat_id,
            "chat_kind": at.kind,
            "chat_title": self.actor_name if at.kind == "direct" else at.title,
            "message_id": str(at.message_id),
            "excerpt": at.said.text,
            "thumbnail_url": at.said.thumbnail_url,
            "is_reply": at.is_reply,
        }
        return {**fields, "deleted": True} if at.is_deleted else fields

    def _url(self) -> str:
        if self.place is not None:
            id_ = self.place.message_id
            return f"{chats_url(self.place.chat_id)}?focus={id_}#m{id_}"
        return "/friends" if self.type == "friend_request" else f"/people/{self.actor_id}"


def wording(data: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The sentence of a `notification.data` as a template with `{names}` and what stands for
    them: so it can be shown in another language."""
    name, kind = data["actor"]["name"], data["notification_type"]
    if kind in _OF_PEOPLE:
        return _OF_PEOPLE[kind], {"name": name}
    if data.get("deleted"):
        return GONE, {}
    is_direct = data["chat_kind"] == "direct"
    template = _OF_MESSAGES["reply" if data["is_reply"] else kind][is_direct]
    params = {"name": name} if is_direct else {"name": name, "title": data["chat_title"]}
    return template, {**params, "excerpt": data["excerpt"]}


def sentence(data: dict[str, Any]) -> str:
    template, params = wording(data)
    return template.format(**params)


def of_row(row: Any) -> dict[str, Any]:
    """A row as `store/notifications.py` reads it, as `notification.data`."""
    more = json.loads(row.data)
    name = row.actor_name if row.actor_name and row.actor_removed_at is None else DELETED_USER
    place = _place_of(row, more) if row.chat_id is not None else None
    notice = Notice(row.user_id, row.type, row.actor_id, name, more["timestamp"], place)
    return notice.data(row.event_id, read=row.is_read)


def _place_of(row: Any, more: dict[str, Any]) -> Place:
    deleted = row.content is None or row.deleted
    said = Gist("") if deleted else gist_of(row)
    title, is_reply = row.title or "", more.get("is_reply", False)
    return Place(row.chat_id, row.kind or "group", title, row.message_id, said, is_reply, deleted)
