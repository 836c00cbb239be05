"""Commands: the same checks, effects and answers, whatever way they come."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import websockets
from support.readers import Reader, Refused
from support.server import Person, Server

HTTP = {
    "send_message": ("POST", "/api/chats/{chat_id}/messages"),
    "typing": ("POST", "/api/chats/{chat_id}/typing"),
    "mark_read": ("POST", "/api/chats/{chat_id}/read"),
    "get_my_chats": ("GET", "/api/chats"),
    "get_chat_status": ("GET", "/api/chats/status"),
    "join_chat": ("POST", "/api/chats/{chat_id}/members/me"),
    "leave_chat": ("DELETE", "/api/chats/{chat_id}/members/me"),
}
TYPES = {"get_my_chats": "my_chats", "get_chat_status": "chat_status", "typing": None}
_numbers = itertools.count(1)
Answer = dict[str, Any] | None
Run = Callable[[Person, str, dict[str, Any]], Awaitable[Answer]]


class Refusal(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def by_websocket(person: Person, name: str, data: dict[str, Any]) -> Answer:
    reader = await person.live("ws")
    try:
        return await asked(reader, name, data)
    finally:
        await reader.close()


async def asked(reader: Reader, name: str, data: dict[str, Any]) -> Answer:
    """Send a command; its answer, or None where a ping after it is answered first."""
    request = f"r{next(_numbers)}"
    await reader.send(name, data, request_id=request)
    await reader.send("ping", {"n": request}, request_id=f"{request}-ping")

    def answers(event: dict[str, Any]) -> bool:
        ours = (request, f"{request}-ping")
        return event.get("request_id", event["data"].get("request_id")) in ours

    answer = await reader.one(answers)
    if answer["type"] == "pong":
        assert answer["data"] == {"n": request}
        return None
    await reader.one("pong")
    if answer["type"] == "error":
        assert answer["data"]["request_id"] == request
        assert answer["data"]["message"]
        raise Refusal(answer["data"]["code"])
    assert answer["type"] == TYPES.get(name, "ack")
    return answer["data"]


async def by_serial_poll(person: Person, name: str, data: dict[str, Any]) -> Answer:
    command = {"type": name, "data": data, "request_id": "r"}
    body = {"last_event_id": None, "timeout": 0, "commands": [command]}
    response = await person.request("POST", "/poll", json=body)
    assert response.status_code == 200, response.text
    for event in response.json()["events"]:
        if event["type"] == "error" and event["data"]["request_id"] == "r":
            raise Refusal(event["data"]["code"])
        if event.get("request_id") == "r":
            assert event["type"] == TYPES.get(name, "ack")
            return event["data"]
    return None


def over_http(**as_body: Any) -> Run:
    async def run(person: Person, name: str, data: dict[str, Any]) -> Answer:
        method, path = HTTP[name]
        rest = {key: value for key, value in data.items() if key != "chat_id"}
        more = {} if method == "GET" else body_of(as_body["kind"], rest)
        path = path.format(chat_id=data.get("chat_id", ""))
        response = await person.request(method, path, **more)
        if response.status_code >= 400:
            assert response.headers["Content-Type"] == "application/problem+json"
            document = response.json()
            assert document["status"] == response.status_code
            assert document["detail"]
            raise Refusal(document["code"])
        return response.json() if response.content else None

    return run


def body_of(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    if kind == "json":
        return {"json": data}
    if kind == "text":
        return {"content": json.dumps(data), "headers": {"Content-Type": "text/plain"}}
    return {"data": {key: str(value) for key, value in data.items()}}


WAYS: dict[str, Run] = {
    "websocket": by_websocket,
    "json": over_http(kind="json"),
    "text": over_http(kind="text"),
    "form": over_http(kind="form"),
    "serial-poll": by_serial_poll,
}
EVERY_WAY = pytest.mark.parametrize("run", WAYS.values(), ids=WAYS)
TYPED_WAYS = [way for way in WAYS if way != "form"]  # in a form all is text
BY_TYPE = pytest.mark.parametrize("way", TYPED_WAYS)


async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, ben = await server.users(2)
    return ada, ben, await ada.direct(ben)


@EVERY_WAY
async def test_sending_is_answered_with_an_ack_of_the_message_that_is_in_the_log(
    server: Server, run: Run
) -> None:
    ada, ben, chat = await pair(server)
    first = await ada.say(chat)
    client_id = str(uuid.uuid4())
    ack = await run(
        ada,
        "send_message",
        {
            "chat_id": chat,
            "content": f"hällo @{ben.name}\nsecond line 😀",
            "client_id": client_id,
            "reply_to": first["message_id"],
        },
    )
    assert ack is not None
    event = (await ada.may_see())[-1]
    assert set(ack) == {"client_id", "message_id", "event_id", "timestamp"}
    assert ack["client_id"] == event["data"]["client_id"] == client_id
    assert ack["message_id"] == event["data"]["message_id"]
    assert ack["event_id"] == event["id"]
    assert ack["timestamp"] == event["data"]["timestamp"]
    assert event["data"]["content"] == f"hällo @{ben.name}\nsecond line 😀"
    assert event["data"]["reply_to"] == first["message_id"]
    assert event["data"]["mentions"] == [ben.user_id]
    kept = (await ben.history(chat))[-1]
    assert kept == {**event["data"], "event_id": event["id"]}


@EVERY_WAY
async def test_the_same_client_id_again_whatever_the_way_gives_the_same_ack_and_no_second_event(
    server: Server, run: Run
) -> None:
    ada, ben, chat = await pair(server)
    command = {"chat_id": chat, "content": "once", "client_id": str(uuid.uuid4())}
    first = await run(ada, "send_message", command)
    events = await server.count_events()
    for other in WAYS.values():
        assert await other(ada, "send_message", command) == first
    assert await server.count_events() == events
    theirs = await run(ben, "send_message", command)
    assert theirs is not None and first is not None
    assert theirs["event_id"] != first["event_id"], "a client_id is its sender's own"


@EVERY_WAY
async def test_without_a_client_id_nothing_is_taken_for_a_repeat(server: Server, run: Run) -> None:
    ada, _, chat = await pair(server)
    command = {"chat_id": chat, "content": "twice"}
    assert await run(ada, "send_message", command) != await run(ada, "send_message", command)


@EVERY_WAY
async def test_typing_has_no_answer_and_tells_the_others(server: Server, run: Run) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live("ws")
    assert await run(ada, "typing", {"chat_id": chat, "is_typing": True}) is None
    assert (await reader.one("user_typing"))["data"]["user_id"] == ada.user_id
    status = await run(ben, "get_chat_status", {})
    assert status is not None
    assert status["chats"][0]["typing"] == [ada.user_id]
    assert await run(ada, "typing", {"chat_id": chat, "is_typing": False}) is None
    assert (await reader.one("user_stopped_typing"))["data"]["chat_id"] == chat


@EVERY_WAY
async def test_marking_as_read_takes_an_event_or_all_and_never_goes_back(
    server: Server, run: Run
) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 3)

    async def unread() -> int:
        return (await ben.api("GET", "/chats"))["chats"][0]["unread"]

    assert await unread() == 3
    ack = await run(ben, "mark_read", {"chat_id": chat, "event_id": sent[1]})
    assert ack is not None and ack["event_id"] == sent[1]
    assert await unread() == 1
    events = await server.count_events()
    await run(ben, "mark_read", {"chat_id": chat, "event_id": sent[0]})
    assert (await unread(), await server.count_events()) == (1, events)
    await run(ben, "mark_read", {"chat_id": chat})
    assert await unread() == 0


@EVERY_WAY
async def test_my_chats_tells_what_there_is_with_the_cursor_of_that_read(
    server: Server, run: Run
) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say(chat, "last")
    answer = await run(ben, "get_my_chats", {})
    assert answer is not None
    [view] = answer["chats"]
    assert (view["chat_id"], view["kind"], view["title"]) == (chat, "direct", ada.name)
    assert view["unread"] == 1
    assert view["last_message"]["event_id"] == sent["event_id"]
    assert {member["user_id"] for member in view["members"]} == {ada.user_id, ben.user_id}
    assert answer["cursor"] == await server.head()


@EVERY_WAY
async def test_chat_status_tells_who_is_there(server: Server, run: Run) -> None:
    ada, ben, chat = await pair(server)
    await ada.say(chat)
    await ada.live("sse")
    answer = await run(ben, "get_chat_status", {})
    assert answer is not None
    [status] = answer["chats"]
    assert (status["chat_id"], status["unread"], status["typing"]) == (chat, 1, [])
    assert ada.user_id in status["online"]


@EVERY_WAY
async def test_joining_and_leaving_a_public_room(server: Server, run: Run) -> None:
    ada, ben = await server.users(2)
    room = await ada.group(public=True)
    joined = await run(ben, "join_chat", {"chat_id": room})
    assert joined is not None
    assert (await ben.may_see())[-1]["id"] == joined["event_id"]
    await run(ben, "join_chat", {"chat_id": room})
    assert [event["type"] for event in await ben.may_see()] == ["user_joined"]
    await run(ben, "leave_chat", {"chat_id": room})
    assert (await ben.api("GET", "/chats"))["chats"] == []
    assert [event["type"] for event in await ada.may_see()] == [
        "chat_created",
        "user_joined",
        "user_left",
    ]


async def refusals(server: Server, ada: Person, chat: str) -> list[tuple[str, Any, str]]:
    """(command, data, code) of all that no way may let through."""
    ben, eve = await server.users(2)
    foreign, room = await ben.direct(eve), await ada.group(public=True)
    good = {"chat_id": chat, "content": "x"}
    return [
        ("send_message", {"chat_id": "nowhere", "content": "x"}, "chat_not_found"),
        ("send_message", {"chat_id": foreign, "content": "x"}, "not_a_member"),
        ("send_message", {"chat_id": chat, "content": ""}, "invalid"),
        ("send_message", {"chat_id": chat, "content": " \n\t "}, "invalid"),
        ("send_message", {"chat_id": chat}, "invalid"),
        ("send_message", {"chat_id": chat, "content": "x" * 8001}, "too_large"),
        ("send_message", {"chat_id": chat, "content": "a\0b"}, "invalid"),
        ("send_message", {**good, "client_id": "x" * 65}, "invalid"),
        ("send_message", {**good, "client_id": "a\nb"}, "invalid"),
        ("send_message", {**good, "reply_to": "123"}, "message_not_found"),
        ("send_message", {**good, "reply_to": "no id"}, "message_not_found"),
        ("typing", {"chat_id": "nowhere", "is_typing": True}, "chat_not_found"),
        ("typing", {"chat_id": foreign, "is_typing": True}, "not_a_member"),
        ("typing", {"chat_id": chat, "is_typing": "perhaps"}, "invalid"),
        ("mark_read", {"chat_id": foreign}, "not_a_member"),
        ("mark_read", {"chat_id": "nowhere"}, "chat_not_found"),
        ("mark_read", {"chat_id": chat, "event_id": -1}, "invalid"),
        ("mark_read", {"chat_id": chat, "event_id": 2**53}, "invalid"),
        ("mark_read", {"chat_id": chat, "event_id": 2**80}, "invalid"),
        ("mark_read", {"chat_id": chat, "event_id": "abc"}, "invalid"),
        ("join_chat", {"chat_id": "nowhere"}, "chat_not_found"),
        ("join_chat", {"chat_id": foreign}, "forbidden"),
        ("leave_chat", {"chat_id": foreign}, "not_a_member"),
        ("leave_chat", {"chat_id": chat}, "conflict"),
        ("leave_chat", {"chat_id": room + "x"}, "chat_not_found"),
    ]


TYPED_REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("send_message", {"content": 5}),
    ("send_message", {"content": None}),
    ("send_message", {"content": ["x"]}),
    ("send_message", {"content": {"a": 1}}),
    ("send_message", {"content": "x", "client_id": 7}),
    ("send_message", {"content": "x", "attachments": "a"}),
    ("send_message", {"content": "x", "reply_to": 5}),
    ("typing", {"is_typing": "yes"}),
    ("typing", {"is_typing": 1}),
    ("mark_read", {"event_id": 1.5}),
    ("mark_read", {"event_id": "5"}),
    ("mark_read", {"event_id": True}),
]


@EVERY_WAY
async def test_what_is_refused_gets_its_code_stores_nothing_and_harms_nobody(
    server: Server, run: Run
) -> None:
    ada, ben, chat = await pair(server)
    listener = await ben.live("ws")
    for name, data, code in await refusals(server, ada, chat):
        events = await server.count_events()
        with pytest.raises(Refusal) as refused:
            await run(ada, name, data)
        assert refused.value.code == code, (name, str(data)[:100])
        assert await server.count_events() == events
    sent = await run(ada, "send_message", {"chat_id": chat, "content": "x" * 8000})
    assert sent is not None
    heard = await listener.until_id(sent["event_id"])
    assert [event["type"] for event in heard if event["type"] != "user_online"] == ["new_message"]


@BY_TYPE
async def test_a_field_of_the_wrong_type_is_refused_by_name(server: Server, way: str) -> None:
    ada, _, chat = await pair(server)
    events = await server.count_events()
    for name, data in TYPED_REFUSALS:
        with pytest.raises(Refusal) as refused:
            await WAYS[way](ada, name, {"chat_id": chat, **data})
        assert refused.value.code == "invalid", (name, data)
    assert await server.count_events() == events


async def test_one_connection_outlives_all_that_it_is_refused(server: Server) -> None:
    ada, _, chat = await pair(server)
    reader = await ada.live("ws")
    for name, data, code in await refusals(server, ada, chat):
        with pytest.raises(Refusal) as refused:
            await asked(reader, name, data)
        assert refused.value.code == code
        assert await asked(reader, "get_my_chats", {})
    assert not reader.ended


BAD_FRAMES = {
    "no JSON": ("this is no JSON", "bad_request"),
    "half JSON": ('{"type":"ping"', "bad_request"),
    "an array": ('[{"type":"ping"}]', "bad_request"),
    "a number": ("5", "bad_request"),
    "null": ("null", "bad_request"),
    "nothing": ("", "bad_request"),
    "no type": ('{"data":{}}', "bad_request"),
    "a type that is a number": ('{"type":5}', "bad_request"),
    "data that is an array": ('{"type":"ping","data":[1]}', "invalid"),
    "a request_id that is an object": ('{"type":"ping","request_id":{}}', "invalid"),
    "an unknown type": ('{"type":"no_such_command","data":{}}', "unknown_type"),
    "a type of the server": ('{"type":"new_message","data":{}}', "unknown_type"),
    "a deep nest": ('{"type":"ping","data":' + '{"a":' * 5000 + "1" + "}" * 5001, "bad_request"),
    "a binary frame": (b'{"type":"ping"}', "bad_request"),
    "an empty binary frame": (b"", "bad_request"),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_bad_frame_gets_an_error_and_the_connection_stays_good(
    server: Server, name: str
) -> None:
    ada, _, chat = await pair(server)
    frame, code = BAD_FRAMES[name]
    reader = await ada.live("ws")
    events = await server.count_events()
    await reader.raw(frame)
    error = await reader.one("error")
    assert error["data"]["code"] == code
    assert error["data"]["message"]
    assert await server.count_events() == events
    assert await asked(reader, "send_message", {"chat_id": chat, "content": "good"})


@pytest.mark.parametrize("way", ["websocket", "json", "text", "serial-poll"])
async def test_half_a_character_is_refused(server: Server, way: str) -> None:
    ada, _, chat = await pair(server)
    events = await server.count_events()
    content = '"a \\ud800 b"'
    if way == "websocket":
        reader = await ada.live("ws")
        data = f'{{"chat_id":"{chat}","content":{content}}}'
        await reader.raw(f'{{"type":"send_message","data":{data}}}')
        error = (await reader.one("error"))["data"]
        assert await asked(reader, "get_my_chats", {})
    elif way == "serial-poll":
        data = f'{{"chat_id":"{chat}","content":{content}}}'
        body = f'{{"timeout":0,"commands":[{{"type":"send_message","data":{data}}}]}}'
        response = await ada.request("POST", "/poll", content=body)
        error = response.json()
        error = error if "code" in error else error["events"][0]["data"]
    else:
        kind = "application/json" if way == "json" else "text/plain"
        response = await ada.request(
            "POST",
            f"/api/chats/{chat}/messages",
            content=f'{{"content":{content}}}',
            headers={"Content-Type": kind},
        )
        assert response.status_code in (400, 422)
        error = response.json()
    assert error["code"] in ("bad_request", "invalid")
    assert await server.count_events() == events


BAD_BODIES = {
    "no JSON": ("application/json", b"this is no JSON", 400, "bad_request"),
    "an array": ("application/json", b"[1]", 400, "bad_request"),
    "text that is no JSON": ("text/plain", b"hello", 400, "bad_request"),
    "not UTF-8": ("application/json", b'{"content":"\xff\xfe"}', 400, "bad_request"),
    "another kind": ("application/xml", b"<a/>", 415, "unsupported_media_type"),
    "no field": ("application/json", b"{}", 422, "invalid"),
    "nothing": ("application/json", b"", 422, "invalid"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_bad_body_gets_a_problem_document(server: Server, name: str) -> None:
    ada, _, chat = await pair(server)
    kind, body, status, code = BAD_BODIES[name]
    events = await server.count_events()
    path, headers = f"/api/chats/{chat}/messages", {"Content-Type": kind}
    response = await ada.request("POST", path, content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert await server.count_events() == events


async def test_what_is_too_large_closes_a_websocket_and_gets_413(server: Server) -> None:
    ada, _, chat = await pair(server)
    reader = await ada.live("ws")
    large = json.dumps({"type": "ping", "data": {"x": "x" * 70_000}})
    try:
        await reader.raw(large)
        await reader.end()
    except websockets.ConnectionClosed:
        pass
    assert reader.call.close_code == 1009
    path = f"/api/chats/{chat}/messages"
    for more in ({"json": {"content": "x" * 70_000}}, {"data": {"content": "x" * 300_000}}):
        response = await ada.request("POST", path, **more)
        assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert await ada.say(chat)


async def test_frames_that_stay_bad_close_the_connection(server: Server) -> None:
    ada, _, _ = await pair(server)
    reader = await ada.live("ws")
    try:
        for _ in range(200):
            await reader.raw("bad")
    except websockets.ConnectionClosed:
        pass
    await reader.end()
    assert reader.call.close_code == 4400


async def test_ping_is_answered_with_the_same_data(server: Server) -> None:
    ada, _, _ = await pair(server)
    reader = await ada.live("ws")
    await reader.send("ping", {"t": 1, "x": ["ä", None]})
    assert await reader.one("pong") == {"type": "pong", "data": {"t": 1, "x": ["ä", None]}}


async def test_commands_without_data_or_request_id_are_understood(server: Server) -> None:
    ada, _, chat = await pair(server)
    reader = await ada.live("ws")
    await reader.raw('{"type":"get_my_chats"}')
    answer = await reader.one("my_chats")
    assert "request_id" not in answer
    assert answer["data"]["chats"][0]["chat_id"] == chat


async def test_many_messages_of_one_connection_are_committed_in_the_order_in_which_they_came(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    reader = await ada.live("ws")
    for number in range(150):
        await reader.send("send_message", {"chat_id": chat, "content": str(number)})
    last = await reader.one(
        lambda event: event["type"] == "new_message" and event["data"]["content"] == "149"
    )
    told = [e["data"]["content"] for e in reader.durable if e["type"] == "new_message"]
    assert told == [str(number) for number in range(150)]
    assert last["id"] == (await ben.may_see())[-1]["id"]


async def test_a_direct_chat_is_made_once_for_a_pair(server: Server) -> None:
    ada, ben = await server.users(2)
    made = await ada.request("POST", "/api/chats", json={"kind": "direct", "user_id": ben.user_id})
    again = await ben.request("POST", "/api/chats", json={"kind": "direct", "user_id": ada.user_id})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["chat_id"] == again.json()["chat_id"]
    for wrong, code in ((ada.user_id, "invalid"), ("nobody", "user_not_found"), ("", "invalid")):
        with pytest.raises(Refused) as refused:
            await ada.api("POST", "/chats", kind="direct", user_id=wrong)
        assert refused.value.code == code


async def test_history_comes_in_pages_oldest_first_both_ways(server: Server) -> None:
    ada, _, chat = await pair(server)
    sent = await ada.say_many(chat, 7)
    path = f"/chats/{chat}/messages"
    newest = await ada.api("GET", f"{path}?limit=3")
    assert [one["event_id"] for one in newest["messages"]] == sent[4:]
    assert newest["has_more"] is True
    older = await ada.api("GET", f"{path}?limit=3&before={newest['before']}")
    assert [one["event_id"] for one in older["messages"]] == sent[1:4]
    first = await ada.api("GET", f"{path}?limit=3&before={older['before']}")
    assert ([one["event_id"] for one in first["messages"]], first["has_more"]) == (sent[:1], False)
    later = await ada.api("GET", f"{path}?limit=3&after={sent[1]}")
    assert [one["event_id"] for one in later["messages"]] == sent[2:5]
    assert later["has_more"] is True
    with pytest.raises(Refused) as refused:
        await ada.api("GET", f"{path}?before=x")
    assert refused.value.status == 400
