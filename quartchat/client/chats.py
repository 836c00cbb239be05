"""Finding a chat by what people call it."""

from __future__ import annotations

from typing import Any

import httpx

from quartchat.client.errors import Refused, Unreachable, from_answer


async def find_chat(http: httpx.AsyncClient, url: str, token: str, name: str) -> str:
    """The id of the user's chat with this id or title, or with `@somebody`."""
    if name.startswith("@"):
        return await _direct(http, url, token, name[1:])
    chats = (await _ask(http, "GET", f"{url}/api/chats", token))["chats"]
    found = [c["chat_id"] for c in chats if name in (c["chat_id"], c["title"])]
    if not found:
        raise Refused(
            404,
            f"You have no chat {name!r}; a public room must be joined first.",
            code="chat_not_found",
            by_server=False,
        )
    return str(found[0])


async def chat_titles(http: httpx.AsyncClient, url: str, token: str) -> dict[str, str]:
    """Chat id -> title."""
    chats = (await _ask(http, "GET", f"{url}/api/chats", token))["chats"]
    return {chat["chat_id"]: chat["title"] for chat in chats}


async def _direct(http: httpx.AsyncClient, url: str, token: str, name: str) -> str:
    users = (await _ask(http, "GET", f"{url}/api/users", token, params={"name": name}))["users"]
    wish = {"kind": "direct", "user_id": users[0]["user_id"]}
    return str((await _ask(http, "POST", f"{url}/api/chats", token, json=wish))["chat_id"])


async def _ask(
    http: httpx.AsyncClient, method: str, url: str, token: str, **more: Any
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    try:
        answer = await http.request(method, url, headers=headers, **more)
    except httpx.HTTPError as error:
        raise Unreachable(f"The server cannot be reached: {error}") from error
    if answer.is_error:
        raise from_answer(
            answer.status_code, answer.headers.get("content-type", ""), answer.content
        )
    found: dict[str, Any] = answer.json()
    return found
