"""`chat_status`: how things are in a user's chats at this moment."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import Core
from quartchat.chat.presence import Presence
from quartchat.store import presence as rows
from quartchat.store import rooms

MOST_LISTED = 2000  # in big chats only those are looked for who did something last


async def status(core: Core, presence: Presence, user_id: str) -> dict[str, Any]:
    """Who of each of the user's chats is here, away and typing, and what is unread. What it reads
    does not grow with the members of a big chat."""
    typing = presence.typing()
    looked_for = {*presence.last_active(MOST_LISTED)}.union(*typing.values())

    async def work(connection: AsyncConnection) -> tuple[list[Any], dict[str, set[str]]]:
        fetch = connection.execute
        found = await rows.members_of_small(fetch, user_id)
        found |= await rows.those_in_big(fetch, user_id, sorted(looked_for))
        return await rooms.mine(fetch, user_id), found

    mine, members = await core.database.read(work)
    return {"chats": [_of_chat(row, presence, members[row.id], typing) for row in mine]}


def _of_chat(
    row: Any, presence: Presence, members: set[str], typing: dict[str, set[str]]
) -> dict[str, Any]:
    here = sorted(member for member in members if presence.is_online(member))
    return {
        "chat_id": row.id,
        "online": here,
        "away": [member for member in here if presence.state(member) == "away"],
        "typing": sorted(typing.get(row.id, set()) & members),
        "unread": row.unread,
    }
