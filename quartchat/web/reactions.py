"""The names of those who reacted, for the pages that tell them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quartchat.chat.core import Core
from quartchat.store import people

NAMED = 10  # of those who reacted with the same

# What is offered to react with, the first few at once.
PALETTE = (
    "👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀",
    "✅", "❌", "🔥", "💯", "👏", "🤔", "🙂", "😍",
    "😅", "😎", "😡", "💔", "👎", "👋", "💪", "🤝",
    "☕", "🎂", "🚀", "🐛", "⭐", "⏳", "❓", "❗",
)  # fmt: skip


async def with_names(core: Core, messages: Sequence[dict[str, Any]], most: int = NAMED) -> None:
    """Puts `names` beside the `user_ids` of each reaction to these messages: of the first."""
    given = [one for message in messages for one in message.get("reactions", ())]
    wanted = {user_id for one in given for user_id in one["user_ids"][:most]}
    if not wanted:
        return
    rows = await core.database.read(lambda c: people.existing(c.execute, wanted))
    for one in given:
        one["names"] = [rows[id_].name for id_ in one["user_ids"][:most] if id_ in rows]
