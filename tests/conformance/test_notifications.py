"""Notifications: who is told what, and that all devices agree on what was read of it."""

from __future__ import annotations

from typing import Any

import pytest
from support.readers import KINDS, Reader, Refused, Transport
from support.server import Person, Server

from quartchat.chat.notices import TYPES
from quartchat.store import notifications as rows
from quartchat.store import people, rooms

EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
Data = dict[str, Any]


async def listed(person: Person, query: str = "") -> list[Data]:
    return (await person.api("GET", f"/notifications{query}"))["notifications"]


async def unread(person: Person) -> int:
    return (await person.api("GET", "/notifications"))["unread"]


async def types(person: Person) -> list[str]:
    """Of the person's notifications, the oldest first."""
    return [one["notification_type"] for one in await listed(person)][::-1]


async def told(person: Person) -> list[Data]:
    """What the log has for them."""
    return [event["data"] for event in await person.may_see() if event["type"] == "notification"]


async def crowd(server: Server, chat: str, number: int) -> list[str]:
    """So many more members, who were never here."""
    ids = [f"extra{i}" for i in range(number)]

    async def work(tx: Any) -> None:
        for id_ in ids:
            row = {"id": id_, "name": id_, "email": None, "password_hash": None}
            people.add(tx, {**row, "is_admin": False, "created_at": tx.now})
            rooms.add_member(tx, chat, id_, "member", tx.head)

    await server.services.writer.do(work)
    return ids


async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, ben = await server.user("Ada"), await server.user("Ben")
    return ada, ben, await ada.direct(ben)


async def test_who_is_away_is_told_of_a_direct_message_with_all_its_fields(server: Server) -> None:
    ada, ben, chat = await pair(server)
    ack = await ada.say(chat, "hello\n there")
    [data] = await told(ben)
    assert data == {
        "notification_id": data["notification_id"],
        "notification_type": "new_message",
        "user_id": ben.user_id,
        "message": "Ada wrote to you: hello there",
        "timestamp": ack["timestamp"],
        "read": False,
        "url": f"/c/{chat}?focus={ack['message_id']}#m{ack['message_id']}",
        "thumbnail_url": None,
        "actor": {"user_id": ada.user_id, "name": "Ada"},
        "chat_id": chat,
        "chat_kind": "direct",
        "chat_title": "Ada",
        "message_id": ack["message_id"],
        "excerpt": "hello there",
        "is_reply": False,
    }
    event = next(event for event in await ben.may_see() if event["type"] == "notification")
    assert data["notification_id"] == str(event["id"])
    assert await listed(ben) == [data]
    assert (await told(ada), await unread(ada)) == ([], 0)


@EACH_KIND
async def test_a_mention_is_told_at_once_also_to_who_is_here(
    server: Server, transport: Transport
) -> None:
    ada, ben, eve = await server.user("Ada"), await server.user("Ben"), await server.user("Eve")
    chat = await ada.group(ben, eve, title="Tea")
    reader = await ben.live(transport)
    await eve.live("ws")
    ack = await ada.say(chat, "tea, @Ben? @Ada asks " + "x" * 200)
    event = await reader.one("notification")
    data = event["data"]
    assert data["notification_type"] == "mention"
    assert data["chat_title"] == "Tea"
    assert len(data["excerpt"]) == 140 and data["excerpt"].endswith("…")
    assert data["message"] == f"Ada mentioned you in Tea: {data['excerpt']}"
    assert data["message_id"] == ack["message_id"]
    assert await listed(ben) == [data]
    assert await listed(eve) == await listed(ada) == []


async def test_who_is_here_is_not_told_of_messages_and_neither_in_three_tabs(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    tabs = [await ben.live("ws") for _ in range(3)]
    await ada.say(chat)
    await tabs[0].close()
    await ada.say(chat)
    await ada.say(chat, "@Ben")
    for tab in tabs[1:]:
        await tab.one("notification")
    last = await ada.say(chat)
    for tab in tabs[1:]:
        await tab.until_id(last["event_id"])
        assert [event["type"] for event in tab.durable].count("notification") == 1
    assert await types(ben) == ["mention"]


async def test_one_unread_notification_of_a_chat_stands_for_all_its_messages(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    other = await ada.group(ben)
    await ada.say_many(chat, 3)
    await ada.say_many(other, 2)
    assert await types(ben) == ["new_message", "new_message"]
    await ben.api("POST", f"/chats/{chat}/read")
    assert await unread(ben) == 1
    await ada.say_many(chat, 2)
    assert await types(ben) == ["new_message"] * 3
    assert [one["read"] for one in await listed(ben)] == [False, False, True]


async def test_who_is_mentioned_while_away_is_told_once(server: Server) -> None:
    ada, ben, chat = await pair(server)
    await ada.say(chat, "@Ben @ben, do you hear?")
    assert await types(ben) == ["mention"]


async def test_an_answer_to_ones_message_says_that_it_is_one(server: Server) -> None:
    ada, ben, eve = await server.user("Ada"), await server.user("Ben"), await server.user("Eve")
    chat = await ada.group(ben, eve, title="Tea")
    asked = await ben.say(chat, "who wants tea?")
    for person in (ben, eve):
        await person.api("POST", f"/chats/{chat}/read")
    await ada.say(chat, "I do", reply_to=asked["message_id"])
    [answer, *_] = await listed(ben)
    assert (answer["notification_type"], answer["is_reply"]) == ("new_message", True)
    assert answer["message"] == "Ada replied to you in Tea: I do"
    [plain, *_] = await listed(eve)
    assert (plain["message"], plain["is_reply"]) == ("Ada wrote in Tea: I do", False)


MUTED = {
    "all": ["new_message", "mention"],
    "mentions": ["mention"],
    "none": [],
}


@pytest.mark.parametrize("notify", MUTED)
async def test_a_member_chooses_for_each_chat_of_what_they_are_told(
    server: Server, notify: str
) -> None:
    ada, ben, chat = await pair(server)
    await ben.api("PATCH", f"/chats/{chat}/settings", notify=notify)
    await ada.say(chat, "hello")
    await ada.say(chat, "hello @Ben")
    assert await types(ben) == MUTED[notify]


@pytest.mark.parametrize("off", TYPES)
async def test_what_a_user_has_turned_off_is_not_told(server: Server, off: str) -> None:
    ada, ben, chat = await pair(server)
    settings = await ben.api("PATCH", "/me/settings", notify={off: False})
    assert settings == {"notify": {type_: type_ != off for type_ in TYPES}}
    await ben.api("POST", f"/friends/{ada.user_id}")
    await ada.api("POST", f"/friends/{ben.user_id}/accept")
    await ada.api("DELETE", f"/friends/{ben.user_id}")
    await ada.api("POST", f"/friends/{ben.user_id}")
    await ada.api("POST", f"/follows/{ben.user_id}")
    await ada.say(chat, "hello")
    await ada.say(chat, "hello @Ben")
    assert sorted(await types(ben)) == sorted(set(TYPES) - {off})
    assert await ben.api("GET", "/me/settings") == settings


BAD_SETTINGS: dict[str, tuple[Data, str]] = {
    "an unknown type": ({"notify": {"nonsense": True}}, "notify.nonsense"),
    "an unknown group": ({"sounds": {}}, "sounds"),
    "no truth value": ({"notify": {"mention": "yes"}}, "notify.mention"),
    "a number": ({"notify": {"mention": 1}}, "notify.mention"),
    "no object": ({"notify": []}, "notify"),
}


@pytest.mark.parametrize("name", BAD_SETTINGS)
async def test_settings_that_there_are_not_are_refused_with_their_name(
    server: Server, name: str
) -> None:
    [ada] = await server.users(1)
    wish, field = BAD_SETTINGS[name]
    with pytest.raises(Refused) as refused:
        await ada.api("PATCH", "/me/settings", **wish)
    assert (refused.value.status, refused.value.code) == (422, "invalid")
    assert refused.value.problem["field"] == field
    assert (await ada.api("GET", "/me/settings"))["notify"] == dict.fromkeys(TYPES, True)


async def test_a_big_room_tells_who_is_mentioned_or_answered_and_nobody_else(
    server: Server,
) -> None:
    ada, ben, eve = await server.user("Ada"), await server.user("Ben"), await server.user("Eve")
    chat = await ada.group(ben, eve)
    await crowd(server, chat, 97)  # 100 members
    start = await server.count_events()
    await ada.say(chat)
    assert await server.count_events() == start + 1 + 99
    joined = await server.user("Joined")
    await ada.add(chat, joined)
    for person in (ben, eve):
        await person.api("POST", f"/chats/{chat}/read")
    asked = await eve.say(chat, "who knows?")
    start = await server.count_events()
    await ada.say(chat, "@Ben does", reply_to=asked["message_id"])
    assert await server.count_events() == start + 3
    assert ((await types(ben))[-1], (await listed(eve))[0]["is_reply"]) == ("mention", True)
    assert await types(joined) == []


async def test_the_list_comes_in_pages_newest_first_and_the_unread_alone_where_asked(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    for number in range(5):
        await ada.say(chat, f"@Ben {number}")
    first = await ben.api("GET", "/notifications?limit=2")
    assert [one["excerpt"] for one in first["notifications"]] == ["@Ben 4", "@Ben 3"]
    assert (first["has_more"], first["unread"], first["cursor"]) == (True, 5, await server.head())
    last = await ben.api("GET", f"/notifications?limit=9&before={first['before']}")
    assert [one["excerpt"] for one in last["notifications"]] == ["@Ben 2", "@Ben 1", "@Ben 0"]
    assert last["has_more"] is False
    some = [one["notification_id"] for one in last["notifications"][1:]]
    assert await ben.api("POST", "/notifications/read", ids=some) == {"unread": 3}
    left = await listed(ben, "?unread=1")
    assert [one["excerpt"] for one in left] == ["@Ben 4", "@Ben 3", "@Ben 2"]
    assert [one["read"] for one in await listed(ben)] == [False] * 3 + [True] * 2
    empty = await ada.api("GET", "/notifications")
    assert (empty["notifications"], empty["before"], empty["unread"]) == ([], None, 0)


@EACH_KIND
async def test_what_is_read_on_one_device_is_read_on_the_others_also_on_those_that_come_back(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    start = await server.head()
    phone, desk = await ben.live(transport), await (await server.log_in_again(ben)).live("ws")
    for _ in range(3):
        await ada.say(chat, "@Ben")
    ids = [(await phone.one("notification"))["data"]["notification_id"] for _ in range(3)]
    answer = await ben.api("POST", "/notifications/read", ids=ids[:2])
    want = {"user_id": ben.user_id, "notification_ids": ids[:2], "unread": 1}
    assert answer == {"unread": 1}
    for reader in (phone, desk):
        assert (await reader.one("notifications_read"))["data"] == want
    assert await ben.api("POST", "/notifications/read", all=True) == {"unread": 0}
    late = ben.connect(transport, cursor=start)
    assert (await late.one("notifications_read"))["data"] == want
    rest = await late.one("notifications_read")
    assert rest["data"] == {"user_id": ben.user_id, "notification_ids": ids[2:], "unread": 0}
    events = await server.count_events()
    await ben.api("POST", "/notifications/read", all=True)
    await ben.api("POST", "/notifications/read", ids=ids)
    assert await server.count_events() == events


async def test_reading_a_chat_reads_what_was_notified_of_it_up_to_there(server: Server) -> None:
    ada, ben, chat = await pair(server)
    other = await ada.group(ben)
    reader = await ben.live("ws")
    sent = [await ada.say(chat, f"@Ben {number}") for number in range(3)]
    await ada.say(other, "@Ben")
    ids = [(await reader.one("notification"))["data"]["notification_id"] for _ in range(4)]
    await ben.api("POST", f"/chats/{chat}/read", event_id=sent[1]["event_id"])
    read = await reader.one("notifications_read")
    want = {"user_id": ben.user_id, "notification_ids": ids[:2], "unread": 2}
    assert read["data"] == want
    await ben.api("POST", f"/chats/{chat}/read")
    assert (await reader.one("notifications_read"))["data"]["notification_ids"] == ids[2:3]
    assert await unread(ben) == 1


async def test_nobody_can_mark_what_is_not_theirs(server: Server) -> None:
    ada, ben, chat = await pair(server)
    await ada.say(chat)
    [one] = await listed(ben)
    id_ = one["notification_id"]
    for ids in ([id_], ["x"], ["²"], ["9" * 30], [""]):
        with pytest.raises(Refused) as refused:
            await ada.api("POST", "/notifications/read", ids=ids)
        assert (refused.value.status, refused.value.code) == (404, "notification_not_found")
    for wish in ({"ids": []}, {"all": False}, {"ids": "x"}, {"ids": ["1"] * 500}):
        with pytest.raises(Refused) as refused:
            await ben.api("POST", "/notifications/read", **wish)
        assert (refused.value.status, refused.value.problem["field"]) == (422, "ids")
    assert await unread(ben) == 1
    assert await ben.api("POST", "/notifications/read", ids=["17", id_]) == {"unread": 0}


async def test_a_form_marks_them_too(server: Server) -> None:
    ada, ben, chat = await pair(server)
    await ada.say(chat)
    [one] = await listed(ben)
    form = {"ids": one["notification_id"]}
    answer = await ben.request("POST", "/api/notifications/read", data=form)
    assert answer.json() == {"unread": 0}
    assert (await ben.request("POST", "/api/notifications/read", data={"all": "1"})).is_success


async def test_a_deleted_message_leaves_no_text_in_what_was_notified_of_it(server: Server) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say(chat, "@Ben the password is xyzzy")
    await ada.api("PATCH", f"/messages/{sent['message_id']}", content="@Ben it is plugh")
    [data] = await listed(ben)
    assert data["excerpt"] == "@Ben it is plugh"
    await ada.api("DELETE", f"/messages/{sent['message_id']}")
    [data] = await listed(ben)
    assert (data["excerpt"], data["deleted"]) == ("", True)
    [event] = await told(ben)
    assert (event, data["read"]) == (data | {"read": False}, True)
    assert "xyzzy" not in str(await ben.may_see()) + str(data)


async def test_who_leaves_a_chat_sees_nothing_more_of_what_was_notified_of_it(
    server: Server,
) -> None:
    ada, ben = await server.user("Ada"), await server.user("Ben")
    chat = await ada.group(ben, public=True)
    await ada.say(chat, "@Ben xyzzy")
    await ada.remove(chat, ben)
    assert (await listed(ben), await unread(ben)) == ([], 0)
    reader = ben.connect("ws", cursor=0)
    await reader.until("caught_up")
    assert "xyzzy" not in str(reader.seen)
    await reader.close()
    server.move_clock(60)
    await server.services.presence.sweep()
    await ben.api("POST", f"/chats/{chat}/members/me")
    await ada.say(chat, "welcome back")
    assert [one["excerpt"] for one in await listed(ben)] == ["welcome back"]


@pytest.mark.parametrize("way", ["leaves", "is removed", "is banned", "deleted"])
async def test_the_badge_agrees_when_what_was_notified_is_gone(server: Server, way: str) -> None:
    ada, ben, eve = await server.user("Ada"), await server.user("Ben"), await server.user("Eve")
    chat, other = await ada.group(ben, eve), await ada.group(ben)
    start = await server.head()
    await ada.say(other, "@Ben")
    sent = await ada.say(chat, "@Ben @Eve")
    [gone, _] = await listed(ben)
    if way == "leaves":
        await ben.api("DELETE", f"/chats/{chat}/members/me")
    elif way == "is removed":
        await ada.remove(chat, ben)
    elif way == "is banned":
        await ada.api("POST", f"/chats/{chat}/bans", user_id=ben.user_id)
    else:
        await ada.api("DELETE", f"/messages/{sent['message_id']}")
    reader = ben.connect("ws", cursor=start)
    read = await reader.one("notifications_read")
    ids = [gone["notification_id"]]
    assert read["data"] == {"user_id": ben.user_id, "notification_ids": ids, "unread": 1}
    assert await unread(ben) == 1
    assert await unread(eve) == (0 if way == "deleted" else 1)


async def test_nothing_is_told_where_nothing_was_unread(server: Server) -> None:
    ada, ben = await server.user("Ada"), await server.user("Ben")
    chat = await ada.group(ben)
    sent = await ada.say(chat, "@Ben")
    await ben.api("POST", "/notifications/read", all=True)
    start = await server.head()
    await ada.api("DELETE", f"/messages/{sent['message_id']}")
    await ada.remove(chat, ben)
    assert "notifications_read" not in [event["type"] for event in await ben.may_see(start)]


async def test_no_more_than_a_thousand_are_kept_of_a_user(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows.MOST_KEPT == 1000
    monkeypatch.setattr(rows, "MOST_KEPT", 5)
    ada, ben, chat = await pair(server)
    for number in range(8):
        await ada.say(chat, f"@Ben {number}")
    assert [one["excerpt"] for one in await listed(ben)] == [f"@Ben {n}" for n in (7, 6, 5, 4, 3)]
    await ada.api("POST", f"/friends/{ben.user_id}")
    assert await types(ben) == ["mention"] * 4 + ["friend_request"]
    assert await unread(ben) == 5


async def test_notifications_show_the_names_of_now(server: Server) -> None:
    ada, ben, chat = await pair(server)
    await ada.say(chat, "hello")
    await ada.api("POST", f"/friends/{ben.user_id}")
    await ada.api("PATCH", "/me", name="Countess")
    assert [one["message"] for one in await listed(ben)] == [
        "Countess wants to be your friend.",
        "Countess wrote to you: hello",
    ]


@EACH_KIND
async def test_a_program_that_asks_for_one_chat_gets_no_notifications(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    reader: Reader = await ben.live(transport, chats=[chat])
    await ada.say(chat, "@Ben")
    last = await ada.say(chat)
    await reader.until_id(last["event_id"])
    assert {event["type"] for event in reader.durable} == {"new_message"}
