"""What stands above the messages of a chat: who is here, what is pinned, what one may do."""

from __future__ import annotations

from typing import Any

from quartchat.access import Caller
from quartchat.chat import history, people
from quartchat.chat.core import MANAGERS
from quartchat.events import rfc3339
from quartchat.store.members import SHOWN
from quartchat.transports import base


async def of(who: Caller, chat: dict[str, Any]) -> dict[str, Any]:
    """`other`: {state, last_seen} of the other one in a direct chat. `online`: how many members
    are here, None in a chat too large to say. `members`: the first, with `presence`. `pins`:
    the pinned messages, the newest pin first. `moderates`: may delete and pin what others said;
    `may_pin`: may pin."""
    pinned = await history.pinned(base.services().core, who.user_id, chat["chat_id"])
    members = [_here(one) for one in chat["members"]]
    told = chat["member_count"] <= SHOWN
    return {
        "members": members,
        "online": sum(one["presence"] != "offline" for one in members) if told else None,
        "other": await _other(chat.get("other_id")),
        "pins": pinned["messages"],
        "moderates": chat["kind"] == "group" and chat["role"] in MANAGERS,
        "may_pin": chat["role"] in MANAGERS,
    }


def _here(person: dict[str, Any]) -> dict[str, Any]:
    return {**person, "presence": base.services().presence.state(person["user_id"])}


async def _other(user_id: str | None) -> dict[str, Any] | None:
    if user_id is None:
        return None
    shared = base.services()
    row = await people.get(shared.core, user_id)
    if row is None or row.removed_at is not None:
        return {"state": "removed", "last_seen": None}
    seen = rfc3339(row.last_seen) if row.last_seen is not None else None
    return {"state": shared.presence.state(user_id), "last_seen": seen}
