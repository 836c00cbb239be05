"""Other programs of the operator publish: to a chat, a user, or everybody."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from support.readers import KINDS, Transport
from support.server import Person, Server

from quartchat.errors import ChatNotFound, Invalid, TooLarge, Unavailable, UserNotFound
from quartchat.operator import EVERYBODY
from quartchat.store.publications import DAY, KEPT_DAYS

KEY, OTHER_KEY = "k" * 32, "another-program-" * 2


@pytest.fixture
async def server(start: Any) -> Server:
    return await start(publish_keys=(KEY, OTHER_KEY))


async def post(server: Server, key: str = KEY, **fields: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return await server.client.post(f"{server.url}/api/publish", json=fields, headers=headers)


async def published(server: Server, key: str = KEY, **fields: Any) -> dict[str, Any]:
    answer = await post(server, key, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(server: Server, **fields: Any) -> tuple[int, str, str | None]:
    before = await server.count_events()
    answer = await post(server, **fields)
    assert await server.count_events() == before
    problem = answer.json()
    return answer.status_code, problem["code"], problem.get("field")


async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, ben = await server.users(2)
    return ada, ben, await ada.direct(ben)


@pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
async def test_an_event_of_ones_own_reaches_the_members_and_nobody_else(
    server: Server, transport: Transport
) -> None:
    ada, _, chat = await pair(server)
    eve = await server.user()
    reader, stranger = await ada.live(transport), await eve.live("ws")
    data = {"build": 7, "ok": True}
    ack = await published(server, chat_id=chat, type="build.finished", data=data)
    [*_, event] = await reader.until_id(ack["event_id"])
    told = {"chat_id": chat, "timestamp": ack["timestamp"], **data}
    assert (event["type"], event["data"]) == ("build.finished", told)
    later = await published(server, user_id=eve.user_id, type="for.eve")
    assert "build.finished" not in [e["type"] for e in await stranger.until_id(later["event_id"])]


async def test_it_is_durable_and_comes_on_resuming(server: Server) -> None:
    ada, _, chat = await pair(server)
    head = await server.head()
    ack = await published(server, chat_id=chat, type="build.finished")
    await ada.connect("sse", cursor=head).until_id(ack["event_id"])


async def test_an_event_for_one_user_reaches_only_them(server: Server) -> None:
    ada, ben, _ = await pair(server)
    hers, his = await ada.live("ws"), await ben.live("ws")
    ack = await published(server, user_id=ada.user_id, type="order.sent", data={"order": "7"})
    [*_, event] = await hers.until_id(ack["event_id"])
    assert event["data"]["user_id"] == ada.user_id
    after = await published(server, user_id=ben.user_id, type="after.it")
    assert "order.sent" not in [e["type"] for e in await his.until_id(after["event_id"])]


async def test_a_global_notification_for_everybody_reaches_everybody(server: Server) -> None:
    readers = [await person.live("ws") for person in await server.users(3)]
    notice = {"title": "Soon", "message": "We stop at noon.", "url": "/status"}
    ack = await published(server, user_id="*", type="global_notification", data=notice)
    for reader in readers:
        [*_, event] = await reader.until_id(ack["event_id"])
        assert event["data"] == {**notice, "timestamp": ack["timestamp"]}


async def test_pages_show_a_system_message_and_no_event_of_a_type_of_ones_own(
    server: Server,
) -> None:
    ada, _, chat = await pair(server)
    reader = await ada.live("ws", query={"html": "1"})
    notice = {"message": "The <b>cake</b> is ready", "title": "Kitchen"}
    ack = await published(server, chat_id=chat, type="system_message", data=notice)
    [*_, shown] = await reader.until_id(ack["event_id"])
    assert "The &lt;b&gt;cake&lt;/b&gt; is ready" in shown["html"]
    ack = await published(server, chat_id=chat, type="build.finished")
    [*_, hidden] = await reader.until_id(ack["event_id"])
    assert "html" not in hidden


@pytest.mark.parametrize("key", ["", "wrong" * 8, KEY + "x", KEY[:-1], "ключ" * 8])
async def test_without_one_of_the_keys_nothing_is_published(server: Server, key: str) -> None:
    ada, _, chat = await pair(server)
    fields = {"chat_id": chat, "type": "build.finished"}
    headers = {b"Authorization": f"Bearer {key}".encode()} if key else {}
    before = await server.count_events()
    for cookie in ({}, {b"Cookie": f"qc_session={ada.token}".encode()}):
        answer = await server.client.post(
            f"{server.url}/api/publish", json=fields, headers={**headers, **cookie}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert await server.count_events() == before


async def test_an_access_token_of_a_user_is_no_publish_key(server: Server) -> None:
    ada, _, chat = await pair(server)
    assert (await post(server, ada.token, chat_id=chat, type="a.b")).status_code == 401


async def test_a_server_without_keys_takes_none(start: Any) -> None:
    server = await start()
    assert (await post(server, "", user_id="*", type="a.b")).status_code == 401
    assert (await post(server, "k" * 40, user_id="*", type="a.b")).status_code == 401


BAD_TYPES = ["", "Big", "7up", "with space", "ends\n", "ü", "x" * 65, "new_message", "ack", "hello"]


@pytest.mark.parametrize("type_", [*BAD_TYPES, "global_notification"])
async def test_a_type_that_may_not_be_is_refused(server: Server, type_: str) -> None:
    _, _, chat = await pair(server)
    told = await refused(server, chat_id=chat, type=type_, data={"message": "x"})
    assert told == (422, "invalid", "type")


async def test_a_system_message_is_for_chats_only(server: Server) -> None:
    ada, _, _ = await pair(server)
    told = await refused(server, user_id=ada.user_id, type="system_message", data={"message": "x"})
    assert told == (422, "invalid", "type")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": "a.b"}, (422, "invalid", "chat_id")),
        ({"type": "a.b", "chat_id": "x", "user_id": "y"}, (422, "invalid", "chat_id")),
        ({"type": "a.b", "chat_id": "nowhere"}, (404, "chat_not_found", "chat_id")),
        ({"type": "a.b", "user_id": "nobody"}, (404, "user_not_found", None)),
        ({"type": "a.b", "user_id": "*", "data": "text"}, (422, "invalid", "data")),
        ({"type": "a.b", "user_id": "*", "data": [1]}, (422, "invalid", "data")),
        ({"user_id": "*"}, (422, "invalid", "type")),
        ({"type": "a.b", "user_id": "*", "client_id": ""}, (422, "invalid", "client_id")),
        ({"type": "a.b", "user_id": "*", "client_id": "x" * 65}, (422, "invalid", "client_id")),
    ],
)
async def test_a_publication_that_is_wrong_is_refused_with_its_field(
    server: Server, fields: Any, expected: Any
) -> None:
    assert await refused(server, **fields) == expected


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "data.message"),
        ({"message": "  "}, "data.message"),
        ({"message": 5}, "data.message"),
        ({"message": "x" * 8001}, "data.message"),
        ({"message": "a\0b"}, "data.message"),
        ({"message": "x", "title": "t" * 101}, "data.title"),
        ({"message": "x", "url": "javascript:alert(1)"}, "data.url"),
        ({"message": "x", "url": "//elsewhere.example"}, "data.url"),
        ({"message": "x", "url": "/\\elsewhere.example"}, "data.url"),
        ({"message": "x", "url": 5}, "data.url"),
    ],
)
async def test_a_notice_that_pages_could_not_show_is_refused(
    server: Server, data: Any, field: str
) -> None:
    told = await refused(server, user_id="*", type="global_notification", data=data)
    assert told == (422, "invalid", field)


async def test_the_event_of_a_chat_always_says_which(server: Server) -> None:
    ada, _, chat = await pair(server)
    reader = await ada.live("ws")
    data = {"chat_id": "another", "user_id": "somebody"}
    ack = await published(server, chat_id=chat, type="a.b", data=data)
    [*_, event] = await reader.until_id(ack["event_id"])
    assert (event["data"]["chat_id"], event["data"]["user_id"]) == (chat, "somebody")


async def test_a_body_over_the_limit_is_refused(server: Server) -> None:
    told = await refused(server, user_id="*", type="a.b", data={"x": "y" * 70_000})
    assert told[:2] == (413, "too_large")


async def test_the_same_client_id_publishes_once_for_each_program(server: Server) -> None:
    ada, _, chat = await pair(server)
    event = {"chat_id": chat, "type": "build.finished", "client_id": "build-7"}
    first = await published(server, **event)
    events = await server.count_events()
    server.move_clock(60)
    assert await published(server, **event) == first
    assert await server.count_events() == events
    assert await published(server, OTHER_KEY, **event) != first
    elsewhere = {"user_id": ada.user_id, "type": "build.finished", "client_id": "build-7"}
    assert (await refused(server, **elsewhere))[:2] == (409, "conflict")


async def test_a_client_id_is_forgotten_after_some_days(server: Server) -> None:
    event = {"user_id": "*", "type": "build.finished", "client_id": "build-7"}
    first = await published(server, **event)
    server.move_clock((KEPT_DAYS + 1) * DAY)
    await published(server, user_id="*", type="a.b", client_id="another")
    assert (await published(server, **event))["event_id"] > first["event_id"]


async def test_each_key_has_a_rate_of_its_own(start: Any) -> None:
    rate = {"publish_per_second": 0.01, "no_limits": False}
    server = await start(publish_keys=(KEY, OTHER_KEY), **rate)
    event = {"user_id": "*", "type": "a.b"}
    assert (await post(server, **event)).status_code == 200
    late = await post(server, **event)
    assert (late.status_code, late.json()["code"]) == (429, "rate_limited")
    assert int(late.headers["Retry-After"]) > 0
    assert (await post(server, OTHER_KEY, **event)).status_code == 200


async def test_keys_are_in_no_description_of_the_settings(server: Server) -> None:
    assert KEY not in repr(server.services.settings)
    assert KEY not in repr(server.services)


async def test_an_embedding_program_notifies_chats_and_users(server: Server) -> None:
    ada, _, chat = await pair(server)
    operator = server.services.operator
    reader = await ada.live("ws")
    notice = {"message": "The lesson begins.", "room": 5}
    id_ = await operator.notify_chat_participants(chat, notice)
    [*_, event] = await reader.until_id(id_)
    assert event["type"] == "system_message"
    assert notice.items() <= event["data"].items()
    id_ = await operator.send_global_notification(ada.user_id, {"message": "Your order came."})
    [*_, event] = await reader.until_id(id_)
    assert event["type"] == "global_notification"
    id_ = await operator.send_global_notification(EVERYBODY, {"at": 5}, type="site.closes")
    [*_, event] = await reader.until_id(id_)
    assert (event["type"], event["data"]["at"]) == ("site.closes", 5)
    once = await operator.notify_chat_participants(chat, notice, client_id="lesson-1")
    assert await operator.notify_chat_participants(chat, notice, client_id="lesson-1") == once


async def test_an_embedding_program_sees_who_is_here_and_what_chats_one_has(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    operator = server.services.operator
    await ada.live("ws")
    assert await operator.get_online_users() == [ada.user_id]
    assert await operator.is_user_online(ada.user_id)
    assert not await operator.is_user_online(ben.user_id)
    [mine] = await operator.get_user_chats_list(ben.user_id)
    assert (mine["chat_id"], mine["title"]) == (chat, ada.name)


async def test_what_an_embedding_program_asks_wrongly_is_refused(start: Any) -> None:
    server = await start()
    ada, _, chat = await pair(server)
    operator = server.services.operator
    notice = {"message": "x"}
    with pytest.raises(ChatNotFound):
        await operator.notify_chat_participants("nowhere", notice)
    with pytest.raises(UserNotFound):
        await operator.send_global_notification("nobody", notice)
    with pytest.raises(UserNotFound):
        await operator.get_user_chats_list("nobody")
    for bad in ({}, "text", {"message": object()}, {"message": "\ud800"}):
        with pytest.raises(Invalid):
            await operator.notify_chat_participants(chat, bad)  # type: ignore[arg-type]
    with pytest.raises(TooLarge):
        await operator.notify_chat_participants(chat, {"x": "y" * 70_000}, type="a.b")
    await server.stop()
    with pytest.raises(Unavailable, match="lifespan"):
        await operator.is_user_online(ada.user_id)


async def test_a_key_that_is_short_or_cannot_travel_is_no_key() -> None:
    from quartchat.config import Settings, SettingsError, load

    for bad in ("k" * 31, "k" * 31 + " ", "ü" * 32):
        with pytest.raises(SettingsError, match="publish_keys") as refusal:
            Settings(publish_keys=(KEY, bad))
        assert bad not in str(refusal.value)
    found = load({}, environ={"QUARTCHAT_PUBLISH_KEYS": f"{KEY}, {OTHER_KEY}"})
    assert found.publish_keys == (KEY, OTHER_KEY)


async def test_a_key_in_a_settings_file_that_is_no_list_is_not_repeated(tmp_path: Any) -> None:
    from quartchat.config import SettingsError, load

    path = tmp_path / "settings.toml"
    path.write_text(f"publish_keys = {json.dumps(KEY)}\n")
    with pytest.raises(SettingsError, match="publish_keys") as refusal:
        load({}, file=path, environ={})
    assert KEY not in str(refusal.value)
