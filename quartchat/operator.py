"""What a program that embeds quartchat does with it: notify, and look who is here.

    app = create_app(settings)
    await app.chat.notify_chat_participants(chat_id, {"message": "The lesson begins."})

For the event loop that runs the application. From another thread:

    asyncio.run_coroutine_threadsafe(app.chat.is_user_online(user_id), loop).result()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quartchat.chat import rooms
from quartchat.chat.core import Core
from quartchat.chat.presence import Presence
from quartchat.chat.profiles import standing
from quartchat.chat.publish import CHAT_NOTICE, EVERYBODY, USER_NOTICE, Publish, publish
from quartchat.errors import Invalid, Unavailable

__all__ = ["EVERYBODY", "Operator"]
NAME = "operator"  # as publisher: what makes its client_ids its own


class Operator:
    """All refusals are ChatErrors; Unavailable, before the application has started and after it
    has stopped (an embedding site forwards the ASGI lifespan)."""

    def __init__(self, core: Core, presence: Presence) -> None:
        self._core, self._presence = core, presence
        self.is_open = False

    async def notify_chat_participants(
        self,
        chat_id: str,
        notification: Mapping[str, Any],
        *,
        type: str = CHAT_NOTICE,
        client_id: str | None = None,
    ) -> int:
        """Tell a chat; the event's id, once it is committed. `notification` is the event's data:
        the pages show its `message` and `title`. With a `type` of your own it is any object,
        shown by no page and given to your own scripts. A `client_id` makes a repeat harmless.
        Raises ChatNotFound, Invalid, TooLarge, Conflict."""
        wish = Publish(type, _data(notification), chat_id=chat_id, client_id=client_id)
        return await self._publish(wish)

    async def send_global_notification(
        self,
        user_id: str,
        notification: Mapping[str, Any],
        *,
        type: str = USER_NOTICE,
        client_id: str | None = None,
    ) -> int:
        """Tell one user wherever they are, or all with `EVERYBODY`; the rest as above. Raises
        UserNotFound, Invalid, TooLarge, Conflict."""
        wish = Publish(type, _data(notification), user_id=user_id, client_id=client_id)
        return await self._publish(wish)

    async def get_online_users(self) -> list[str]:
        """The ids of those who are connected, or were a moment ago; also while they are away."""
        self._check_open()
        return sorted(self._presence.online())

    async def is_user_online(self, user_id: str) -> bool:
        self._check_open()
        return self._presence.is_online(user_id)

    async def get_user_chats_list(self, user_id: str) -> list[dict[str, Any]]:
        """The user's chats as in `my_chats`, the one with the newest message first. Raises
        UserNotFound."""
        self._check_open()
        await self._core.database.read(lambda c: standing(c.execute, user_id))
        chats: list[dict[str, Any]] = (await rooms.my_chats(self._core, user_id))["chats"]
        return chats

    async def _publish(self, wish: Publish) -> int:
        self._check_open()
        return int((await publish(self._core, wish, NAME))["event_id"])

    def _check_open(self) -> None:
        if not self.is_open:
            raise Unavailable("quartchat does not run: forward the ASGI lifespan to it.")


def _data(notification: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(notification, Mapping):
        raise Invalid('A notification is an object, as in {"message": "…"}.', field="data")
    return dict(notification)
