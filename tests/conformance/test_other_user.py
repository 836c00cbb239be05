"""A page says whose it is (`u`): when somebody else has logged in in that browser, it gets nothing
of theirs, and does nothing in their name."""

from __future__ import annotations

import pytest
from support.readers import ALL, Refused, Transport
from support.server import Server

WAYS = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)


@WAYS
async def test_who_is_not_the_one_that_the_page_is_for_is_refused(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    reader = ada.connect(transport, query={"u": ben.user_id})
    if transport.duplex:  # which is told after the handshake
        event = await reader.next_event()
        assert (event["type"], event["data"]["code"]) == ("error", "other_user")
    else:
        with pytest.raises(Refused) as refused:
            await reader.next_event()
        assert refused.value.code == "other_user"


@WAYS
async def test_the_one_that_the_page_is_for_is_served(server: Server, transport: Transport) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    reader = await ben.live(transport, query={"u": ben.user_id})
    sent = await ada.say(chat, "hello")
    assert (await reader.one("new_message"))["id"] == sent["event_id"]


async def test_a_command_is_not_done_in_the_name_of_another(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    command = {"type": "send_message", "data": {"chat_id": chat, "content": "mine"}}
    answer = await ben.request("POST", f"/t/p?u={ada.user_id}", json={"commands": [command]})
    assert (answer.status_code, answer.json()["code"]) == (401, "other_user")
    assert (await ben.api("GET", f"/chats/{chat}/messages"))["messages"] == []
