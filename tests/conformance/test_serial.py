"""The serial form in every body that gets through somewhere, and what a refusal says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.server import Person, Server, ids

URLENCODED = "application/x-www-form-urlencoded"


async def ask(person: Person, way: str, fields: dict[str, Any], query: str = "") -> Any:
    """The answer to a serial poll, whose body travels in one of the ways that are taken."""
    path = f"/t/p{query}"
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in fields.items()
    }
    if way == "form":
        response = await person.request("POST", path, data=texts)
        assert response.request.headers["content-type"] == URLENCODED
    elif way == "multipart":
        files = {name: (None, value) for name, value in texts.items()}
        response = await person.request("POST", path, files=files)
    else:
        body, kind = json.dumps(fields), {"content-type": way}
        response = await person.request("POST", path, content=body, headers=kind)
    return response.json()


WAYS = pytest.mark.parametrize(
    "way", ["application/json", "text/plain", "text/plain;charset=UTF-8", "form", "multipart"]
)


@WAYS
async def test_commands_the_cursor_and_the_hold_travel_in_any_body(
    server: Server, way: str
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    head = (await ada.say(chat))["event_id"]
    text = 'a & b = "ü", [1] 100%+\n'
    commands = [
        {
            "type": "send_message",
            "data": {"chat_id": chat, "content": text, "client_id": "1"},
            "request_id": 1,
        },
        {"type": "mark_read", "data": {"chat_id": chat}, "request_id": "two"},
    ]
    answer = await ask(ada, way, {"last_event_id": head, "timeout": 0, "commands": commands})
    kinds = [(event["type"], event.get("request_id")) for event in answer["events"]]
    assert kinds[:2] == [("ack", 1), ("ack", "two")]
    assert answer["events"][2]["data"]["content"] == text
    assert answer["events"][2]["id"] == answer["events"][0]["data"]["event_id"]
    assert answer["last_event_id"] == ids(answer["events"])[-1]
    again = await ask(ada, way, {"last_event_id": answer["last_event_id"], "timeout": 0})
    assert again == {"events": [], "last_event_id": answer["last_event_id"]}


@pytest.mark.parametrize("way", ["application/json", "text/plain", "form"])
async def test_commands_may_be_text_that_holds_a_list(server: Server, way: str) -> None:
    ada = await server.user()
    text = json.dumps([{"type": "active"}, {"type": "get_my_chats", "request_id": 7}])
    answer = await ask(ada, way, {"commands": text, "timeout": 0}, f"?last_event_id={2}")
    assert [event["type"] for event in answer["events"] if "id" not in event][:1] == ["my_chats"]
    assert answer["events"][0]["request_id"] == 7
    nothing = await ask(ada, way, {"commands": "[]", "timeout": 0})
    assert [event["type"] for event in nothing["events"]] == ["hello", "caught_up"]


@WAYS
@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ("", "bad_request"),
        ("[", "bad_request"),
        ("{}", "bad_request"),
        ('"[]"', "bad_request"),
        ("[1]", "invalid"),
        ("[" * 200 + "]" * 200, "bad_request"),
        ("[" + ",".join(['{"type":"active"}'] * 101) + "]", "invalid"),
    ],
)
async def test_text_that_is_no_list_of_commands_is_refused_with_a_sentence(
    server: Server, way: str, commands: str, code: str
) -> None:
    ada = await server.user()
    answer = await ask(ada, way, {"commands": commands, "timeout": 0})
    if way in ("form", "multipart") and not commands:
        assert [event["type"] for event in answer["events"]] == ["hello", "caught_up"]
        return
    assert answer["code"] == code
    assert answer["status"] == {"bad_request": 400, "invalid": 422}[code]
    assert answer["detail"]


async def test_a_refusal_says_its_status_and_whether_trying_again_may_help(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    bad = {"type": "send_message", "data": {"chat_id": chat, "content": " "}, "request_id": 9}
    reader = await ada.live("ws")
    await reader.send(bad["type"], bad["data"], request_id=9)
    over_socket = (await reader.one("error"))["data"]
    assert over_socket == {
        "code": "invalid",
        "message": over_socket["message"],
        "field": "content",
        "request_id": 9,
        "retryable": False,
        "status": 422,
    }
    answer = await ask(ada, "form", {"commands": [bad], "timeout": 0})
    assert answer["events"][0] == {"type": "error", "data": over_socket}


async def test_the_end_of_a_stream_says_its_status_too(server: Server) -> None:
    ada = await server.user()
    for transport in ("ws", "stream", "sse"):
        reader = await ada.live(transport)
        other = await server.log_in_again(ada)
        reader_of_other = await other.live(transport)
        await other.api("POST", "/logout")
        for event in await reader_of_other.end():
            if event["type"] == "error":
                assert event["data"]["status"] == 401
                assert event["data"]["retryable"] is False
                break
        else:
            raise AssertionError("the end said nothing")
        assert not reader.ended


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_whoever_does_not_trust_old_connections_gets_each_answer_on_a_new_one(
    server: Server, method: str
) -> None:
    [ada] = await server.users(1)
    last = await ada.request(method, "/t/p?timeout=0&close=1")
    assert last.headers["Connection"] == "close"
    assert "Connection" not in (await ada.request(method, "/t/p?timeout=0")).headers


async def test_whoever_asks_whether_new_connections_are_answered_leaves_none_behind(
    server: Server,
) -> None:
    [ada] = await server.users(1)
    assert (await ada.request("GET", "/health/live?close=1")).headers["Connection"] == "close"
    assert "Connection" not in (await ada.request("GET", "/health/live")).headers
