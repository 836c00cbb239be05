"""What the operator's own programs publish: events of types of their own, and notices that the
pages show."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from quartchat.chat.core import Core, check_client_id, is_storable
from quartchat.chat.profiles import standing
from quartchat.errors import ChatNotFound, Conflict, Invalid, TooLarge, Unauthenticated
from quartchat.events import ALL, Draft, chat_topic, encode_data, rfc3339, user_topic
from quartchat.protocol import OURS
from quartchat.store import publications, rooms
from quartchat.store.writer import Transaction

EVERYBODY = "*"
CHAT_NOTICE, USER_NOTICE = "system_message", "global_notification"
MAX_TITLE = 100
_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_URL = re.compile(r"(https?://|/(?![/\\]))[!-~]{0,2000}")


class Publish(msgspec.Struct):
    """To one chat, to one user, or (`user_id` "*") to everybody."""

    type: str
    data: dict[str, Any] = {}
    chat_id: str | None = None
    user_id: str | None = None
    client_id: str | None = None


def publisher(authorization: str | None, keys: Sequence[str]) -> str:
    """Which program this is, by its `Authorization: Bearer KEY`: a digest of the key, fit to be
    kept. Raises Unauthenticated."""
    scheme, _, given = (authorization or "").strip().partition(" ")
    digest = _digest(given.strip())
    matches = [hmac.compare_digest(digest, _digest(key)) for key in keys]  # all, in equal time
    if scheme.lower() != "bearer" or not any(matches):
        raise Unauthenticated(
            "Send one of the publish keys of this server: Authorization: Bearer KEY."
        )
    return digest


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def publish(core: Core, wish: Publish, publisher: str = "") -> dict[str, Any]:
    """Append the event: {event_id, timestamp}, once it is committed. The same `client_id` again by
    the same publisher gives the same answer and no second event, for `publications.KEPT_DAYS`.
    Raises Invalid, TooLarge, ChatNotFound, UserNotFound, Conflict."""
    check_client_id(wish.client_id)
    _check_type(wish)
    _check_data(core, wish)
    topic = _topic(wish)
    return await core.writer.do(lambda tx: _append(tx, wish, topic, publisher))


async def _append(tx: Transaction, wish: Publish, topic: str, publisher: str) -> dict[str, Any]:
    if wish.client_id:
        before = await publications.get(tx.fetch, publisher, wish.client_id)
        if before is not None and before.topic != topic:
            raise Conflict("This client_id was used for something else.", field="client_id")
        if before is not None:
            return {"event_id": before.event_id, "timestamp": rfc3339(before.published_at)}
    await _need_target(tx, wish)
    timestamp = rfc3339(tx.now)
    event = tx.append(
        Draft(topic, wish.type, {"timestamp": timestamp, **wish.data, **_target(wish)})
    )
    if wish.client_id and event.id is not None:
        publications.add(tx, publisher, wish.client_id, event.id, topic)
    return {"event_id": event.id, "timestamp": timestamp}


async def _need_target(tx: Transaction, wish: Publish) -> None:
    if wish.chat_id is not None and await rooms.get(tx.fetch, wish.chat_id) is None:
        raise ChatNotFound(field="chat_id")
    if wish.user_id is not None and wish.user_id != EVERYBODY:
        await standing(tx.fetch, wish.user_id)


def _topic(wish: Publish) -> str:
    if (wish.chat_id is None) == (wish.user_id is None):
        raise Invalid("Say to whom: either a chat_id or a user_id.", field="chat_id")
    if wish.chat_id is not None:
        return chat_topic(wish.chat_id)
    return ALL if wish.user_id == EVERYBODY else user_topic(str(wish.user_id))


def _target(wish: Publish) -> dict[str, Any]:
    """What an event always says of where it belongs; a user's may name another one."""
    if wish.chat_id is not None:
        return {"chat_id": wish.chat_id}
    return {} if wish.user_id == EVERYBODY else {"user_id": wish.data.get("user_id", wish.user_id)}


def _check_type(wish: Publish) -> None:
    if not _TYPE.fullmatch(wish.type):
        raise Invalid("A type is a to z, then up to 63 of a to z, 0 to 9, _ . and -.", field="type")
    if wish.type in (CHAT_NOTICE, USER_NOTICE):
        if wish.type == CHAT_NOTICE and wish.chat_id is None:
            raise Invalid("A system_message goes to a chat.", field="type")
        if wish.type == USER_NOTICE and wish.user_id is None:
            raise Invalid("A global_notification goes to a user, or to everybody.", field="type")
    elif wish.type in OURS:
        raise Invalid(
            "The type {type!r} is the server's own; take another.", field="type", type=wish.type
        )


def _check_data(core: Core, wish: Publish) -> None:
    most = core.settings.max_frame
    try:
        size = len(encode_data(wish.data))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise Invalid("The data must be what JSON can hold.", field="data") from error
    if size > most:
        raise TooLarge("The data is larger than {most} bytes.", field="data", most=most)
    if wish.type in (CHAT_NOTICE, USER_NOTICE):
        _check_notice(wish.data, core.settings.max_content)


def _check_notice(data: Mapping[str, Any], most: int) -> None:
    """What pages show: {message, title?, url?}. Raises Invalid."""
    _check_text(data.get("message"), "data.message", most)
    if data.get("title") is not None:
        _check_text(data["title"], "data.title", MAX_TITLE)
    url = data.get("url")
    if url is not None and not (isinstance(url, str) and _URL.fullmatch(url)):
        raise Invalid(
            "A url is a path of this site, as in /orders/7, or begins with https://.",
            field="data.url",
        )


def _check_text(text: Any, field: str, most: int) -> None:
    if not isinstance(text, str) or not text.strip() or len(text) > most or not is_storable(text):
        raise Invalid("This takes 1 to {most} characters.", field=field, most=most)
