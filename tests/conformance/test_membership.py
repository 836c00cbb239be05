"""Who may see what: decided whenever events are read, not only when a client connects."""

from __future__ import annotations

import asyncio

import pytest
from support.readers import ALL, KINDS, Refused, Transport
from support.server import Server, ids

EVERY = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)
EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)


def of_chat(events: list[dict[str, object]], chat: str) -> list[dict[str, object]]:
    return [event for event in events if event["data"].get("chat_id") == chat]  # type: ignore[attr-defined]


@EVERY
async def test_a_chat_joined_later_arrives_from_the_event_of_joining_on(
    server: Server, transport: Transport
) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(eve)
    reader = await ben.live(transport)
    await ada.say_many(chat, 2)
    joined = await ada.add(chat, ben)
    sent = await ada.say_many(chat, 2)
    await reader.until_id(sent[-1])
    assert ids(reader.durable) == [joined["event_id"], *sent]
    first = reader.durable[0]
    assert first["type"] == "user_joined"
    assert (first["data"]["user_id"], first["data"]["chat_id"]) == (ben.user_id, chat)


@EVERY
async def test_a_new_chat_arrives_on_the_connections_of_its_members(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    reader = await ben.live(transport)
    chat = await ada.direct(ben)
    created = await reader.one("chat_created")
    assert created["data"]["chat_id"] == chat
    sent = await ada.say(chat)
    await reader.until_id(sent["event_id"])


@EVERY
async def test_who_is_removed_is_told_so_and_then_gets_nothing_more_on_an_open_connection(
    server: Server, transport: Transport
) -> None:
    ada, ben, eve = await server.users(3)
    chat, fence = await ada.group(ben, eve), await ada.direct(ben)
    removed, staying = await ben.live(transport), await eve.live(transport)
    before = await ada.say(chat)
    await removed.until_id(before["event_id"])
    await ada.remove(chat, ben)
    await ada.api("POST", f"/chats/{chat}/typing", is_typing=True)
    after = await ada.say_many(chat, 3)
    mark = await ada.say(fence)
    events = await removed.until_id(mark["event_id"])
    told = of_chat(events, chat)
    assert [event["type"] for event in told] == ["user_left"]
    assert told[0]["data"]["user_id"] == ben.user_id  # type: ignore[index]
    await staying.until_id(after[-1])
    assert [event["type"] for event in staying.durable] == [
        "new_message",
        "user_left",
        *["new_message"] * 3,
    ]


@EVERY
async def test_who_was_removed_gets_nothing_of_the_chat_on_resuming_with_an_old_cursor(
    server: Server, transport: Transport
) -> None:
    ada, ben, eve = await server.users(3)
    start = await server.head()
    chat, fence = await ada.group(ben, eve), await ada.direct(ben)
    await ada.say_many(chat, 3)
    await ada.remove(chat, ben)
    await ada.say_many(chat, 3)
    mark = await ada.say(fence)
    for cursor in (0, start):
        reader = ben.connect(transport, cursor=cursor)
        events = await reader.until_id(mark["event_id"])
        assert [event["type"] for event in of_chat(events, chat)] == ["user_left"]
        await reader.close()
    other = eve.connect(transport, cursor=start)
    await other.until_id((await ada.say(chat))["event_id"])
    assert other.durable == await eve.may_see(start)


@EVERY
async def test_who_leaves_and_joins_again_gets_what_came_since(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben, public=True)
    reader = await ben.live(transport)
    before = await ada.say_many(chat, 2)
    await reader.until_id(before[-1])
    left = await ben.api("DELETE", f"/chats/{chat}/members/me")
    away = await ada.say_many(chat, 2)
    joined = await ben.api("POST", f"/chats/{chat}/members/me")
    after = await ada.say_many(chat, 2)
    await reader.until_id(after[-1])
    events = [event for event in reader.durable if event["id"] > left["event_id"]]
    got = [(event["type"], event["id"]) for event in events]
    assert got[0][0] == "user_left"
    assert [id_ for _, id_ in got[1:]] == [joined["event_id"], *after]
    again = ben.connect(transport, cursor=before[0])
    await again.until_id(after[-1])
    assert not set(away) & set(ids(again.durable))
    assert ids(again.durable)[-3:] == [joined["event_id"], *after]


@EVERY
async def test_who_is_no_member_sees_nothing_of_a_chat(
    server: Server, transport: Transport
) -> None:
    ada, ben, eve = await server.users(3)
    fence = await ada.direct(eve)
    live = await eve.live(transport)
    chats = [await ada.direct(ben), await ada.group(ben), await ada.group(ben, public=True)]
    for chat in chats:
        await ada.say_many(chat, 2)
        await ada.api("POST", f"/chats/{chat}/typing", is_typing=True)
    mark = await ada.say(fence)
    late = eve.connect(transport, cursor=0)
    for reader in (live, late):
        events = await reader.until_id(mark["event_id"])
        assert not [event for chat in chats for event in of_chat(events, chat)]


@EVERY
async def test_a_connection_for_some_chats_gets_those_only(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    wanted, other = await ada.group(ben), await ada.group(ben)
    second = await ada.group(ben)
    start = await server.head()
    live = await ben.live(transport, chats=[wanted, second])
    sent = []
    for chat in (wanted, other, second, other, wanted):
        await ada.api("POST", f"/chats/{chat}/typing", is_typing=True)
        ack = await ada.say(chat)
        sent += [ack["event_id"]] if chat != other else []
    resumed = ben.connect(transport, chats=[wanted, second], cursor=start)
    for reader in (live, resumed):
        await reader.until_id(sent[-1])
        assert ids(reader.durable) == sent
        assert not of_chat(reader.seen, other)


@EVERY
async def test_a_connection_for_one_chat_ends_its_news_when_the_user_is_removed_from_it(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat, fence = await ada.group(ben), await ada.group(ben)
    reader = await ben.live(transport, chats=[chat, fence])
    await ada.remove(chat, ben)
    await ada.say(chat)
    mark = await ada.say(fence)
    if transport.greets:
        events = await reader.until_id(mark["event_id"])
        assert [event["type"] for event in of_chat(events, chat)] == ["user_left"]
    else:  # each poll asks anew for a chat that is no longer theirs
        assert await reader.refusal() == ("not_a_member", 403)
        assert {event["type"] for event in of_chat(reader.seen, chat)} <= {"user_left"}


@EVERY
async def test_asking_for_a_chat_that_is_not_there_or_not_yours_is_refused(
    server: Server, transport: Transport
) -> None:
    ada, ben, eve = await server.users(3)
    private = await ada.group(ben)
    for chat, want in (
        ("no-such-chat", ("chat_not_found", 4400, 404)),
        (private, ("not_a_member", 4403, 403)),
    ):
        code, number = await eve.connect(transport, chats=[chat]).refusal()
        assert (code, number) == (want[0], want[1] if transport.duplex else want[2])


@EACH_KIND
async def test_a_removed_owner_hands_on_the_chat_and_members_are_told(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    reader = await ben.live(transport)
    await ada.api("DELETE", f"/chats/{chat}/members/me")
    changed = await reader.one("chat_updated")
    assert changed["data"] == {"chat_id": chat, "user_id": ben.user_id, "role": "owner"}


async def test_what_is_read_is_told_to_the_chat(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    readers = [await ada.live(one) for one in KINDS]
    sent = await ada.say(chat)
    await ben.api("POST", f"/chats/{chat}/read", event_id=sent["event_id"])
    for reader in readers:
        read = await reader.one("messages_read")
        want = {"user_id": ben.user_id, "chat_id": chat, "event_id": sent["event_id"]}
        assert read["data"] == want


async def test_two_who_add_the_same_person_at_once_add_them_once(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben)
    await ada.api("PATCH", f"/chats/{chat}/members/{ben.user_id}", role="admin")
    acks = await asyncio.gather(ada.add(chat, eve), ben.add(chat, eve))
    assert sorted(ack["event_id"] is None for ack in acks) == [False, True]


async def test_an_admin_who_is_demoted_while_adding_either_added_or_was_refused(
    server: Server,
) -> None:
    ada, ben, *others = await server.users(8)
    chat = await ada.group(ben)
    role = f"/chats/{chat}/members/{ben.user_id}"
    await ada.api("PATCH", role, role="admin")
    demoting = ada.api("PATCH", role, role="member")
    demoted, *added = await asyncio.gather(
        demoting, *(ben.add(chat, one) for one in others), return_exceptions=True
    )
    for one in added:
        if isinstance(one, Refused):
            assert one.code == "forbidden"
        else:
            assert one["event_id"] < demoted["event_id"]


async def test_an_account_that_was_removed_is_in_no_group_and_a_nameless_other_side(
    server: Server,
) -> None:
    ada, gone = await server.users(2)
    group, direct = await ada.group(gone), await ada.direct(gone)
    await ada.api("PATCH", f"/chats/{group}/members/{gone.user_id}", role="admin")
    theirs = await gone.api("POST", f"/chats/{group}/invites")
    await server.services.accounts.remove(gone.user_id, by=None)
    chats = {one["chat_id"]: one for one in (await ada.api("GET", "/chats"))["chats"]}
    assert chats[direct]["title"] == "Deleted user"
    assert chats[direct]["picture"] is None
    for chat in (group, direct):
        assert [one["user_id"] for one in chats[chat]["members"]] == [ada.user_id]
        assert chats[chat]["member_count"] == 1
        page = await ada.api("GET", f"/chats/{chat}/members")
        assert [one["user_id"] for one in page["members"]] == [ada.user_id]
        assert page["member_count"] == 1
    with pytest.raises(Refused) as refused:
        await ada.add(group, gone)
    assert (refused.value.code, refused.value.problem["field"]) == ("user_not_found", "user_id")
    with pytest.raises(Refused) as refused:
        await ada.api("POST", "/chats", kind="group", title="x", members=[gone.user_id])
    assert (refused.value.code, refused.value.problem["field"]) == ("user_not_found", "members")
    with pytest.raises(Refused) as refused:
        await (await server.user()).api("POST", f"/invites/{theirs['invite_id']}")
    assert refused.value.code == "invite_not_found"


@EVERY
async def test_also_a_connection_for_one_chat_hears_that_an_account_was_removed(
    server: Server, transport: Transport
) -> None:
    ada, ben, gone = await server.users(3)
    chat = await ada.group(ben)
    start = await server.head()
    live = await ben.live(transport, chats=[chat])
    await server.services.accounts.remove(gone.user_id, by=None)
    sent = await ada.say(chat)
    late = ben.connect(transport, chats=[chat], cursor=start)
    for reader in (live, late):
        await reader.until_id(sent["event_id"])
        assert [event["type"] for event in reader.durable] == ["user_removed", "new_message"]
        assert reader.durable[0]["data"]["user_id"] == gone.user_id
