"""What a chat is like: title, description, who may come in; its roles; how each keeps it; the
directory and the members."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import insert, select
from support.readers import KINDS, Refused, Transport
from support.server import Person, Server

from quartchat.chat import rooms as chat_rooms
from quartchat.store.members import share
from quartchat.store.schema import chats as rows
from quartchat.store.schema import members

EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)


async def refused(call: Any) -> tuple[int, str | None, str | None]:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.status, caught.value.code, caught.value.problem.get("field")


async def change(who: Person, chat: str, **fields: Any) -> Any:
    return await who.api("PATCH", f"/chats/{chat}", **fields)


async def role(who: Person, chat: str, other: Person, name: str) -> Any:
    return await who.api("PATCH", f"/chats/{chat}/members/{other.user_id}", role=name)


async def my_chat(who: Person, chat: str) -> Any:
    found = (await who.api("GET", "/chats"))["chats"]
    return next(one for one in found if one["chat_id"] == chat)


# Details.


@EACH_KIND
async def test_a_change_is_told_to_all_members_with_the_fields_that_changed(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben, title="Tea")
    reader = await ben.live(transport)
    ack = await change(ada, chat, title=" Green  tea ", description="All of it.\r\nHot.")
    told = await reader.one("chat_updated")
    assert told["id"] == ack["event_id"]
    assert told["data"] == {
        "chat_id": chat,
        "user_id": ada.user_id,
        "title": "Green tea",
        "description": "All of it.\nHot.",
        "timestamp": told["data"]["timestamp"],
    }
    seen = await my_chat(ben, chat)
    assert (seen["title"], seen["description"]) == ("Green tea", "All of it.\nHot.")


async def test_only_what_really_changed_is_told_and_nothing_at_all_is_no_event(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben, title="Tea")
    reader = await ben.live()
    assert (await change(ada, chat, title="Tea", description="  "))["event_id"] is None
    assert (await change(ada, chat))["event_id"] is None
    await change(ada, chat, title="Tea", public=True, history=None)
    told = (await reader.one("chat_updated"))["data"]
    assert {key: told[key] for key in told.keys() - {"timestamp"}} == {
        "chat_id": chat,
        "user_id": ada.user_id,
        "public": True,
    }
    assert reader.types().count("chat_updated") == 1


async def test_a_room_made_private_keeps_its_members_and_takes_no_newcomers(
    server: Server,
) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben, public=True)
    await change(ada, chat, public=False)
    assert (await my_chat(ben, chat))["member_count"] == 2
    assert await refused(eve.api("POST", f"/chats/{chat}/members/me")) == (403, "forbidden", None)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"title": 5}, "title"),
        ({"title": "\u200b\u202e"}, "title"),
        ({"title": "\u3164 \u0301"}, "title"),
        ({"description": "x" * 1001}, "description"),
        ({"description": "a\0b"}, "description"),
        ({"public": "perhaps"}, "public"),
        ({"history": "some"}, "history"),
    ],
)
async def test_a_value_that_is_not_allowed_is_refused_at_its_field(
    server: Server, fields: dict[str, Any], field: str
) -> None:
    ada = await server.user()
    chat = await ada.group()
    assert await refused(change(ada, chat, **fields)) == (422, "invalid", field)


async def test_details_are_for_owners_and_admins_of_groups(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat, direct = await ada.group(ben), await ada.direct(ben)
    assert await refused(change(ben, chat, title="Mine")) == (403, "forbidden", None)
    assert await refused(change(eve, chat, title="Mine")) == (403, "not_a_member", None)
    assert await refused(change(ada, "none", title="Mine")) == (404, "chat_not_found", None)
    assert await refused(change(ada, direct, title="Mine")) == (409, "conflict", None)
    await role(ada, chat, ben, "admin")
    assert (await change(ben, chat, title="Ours"))["event_id"]


# Roles and handing over.


async def test_handing_over_changes_both_roles_with_an_event_each(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    reader = await ben.live()
    ack = await role(ada, chat, ben, "owner")
    told = [(await reader.one("chat_updated")) for _ in range(2)]
    assert [one["data"] for one in told] == [
        {"chat_id": chat, "user_id": ada.user_id, "role": "admin"},
        {"chat_id": chat, "user_id": ben.user_id, "role": "owner"},
    ]
    assert told[-1]["id"] == ack["event_id"]
    roles = {one["name"]: one["role"] for one in (await my_chat(ben, chat))["members"]}
    assert roles == {ada.name: "admin", ben.name: "owner"}
    assert await refused(role(ada, chat, ben, "member")) == (403, "forbidden", None)


async def test_the_owner_steps_down_by_handing_over_only(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben)
    assert await refused(role(ada, chat, ada, "member")) == (409, "conflict", None)
    assert (await role(ada, chat, ada, "owner"))["event_id"] is None
    assert (await role(ada, chat, ben, "member"))["event_id"] is None
    assert await refused(role(ada, chat, ben, "king")) == (422, "invalid", "role")
    assert await refused(role(ada, chat, eve, "owner")) == (403, "not_a_member", None)
    assert await refused(role(ben, chat, ben, "owner")) == (403, "forbidden", None)


async def test_of_two_hand_overs_at_once_one_wins_and_there_is_one_owner(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben, eve)
    outcomes = await asyncio.gather(
        *(role(ada, chat, other, "owner") for other in (ben, eve)), return_exceptions=True
    )
    assert [type(one) for one in outcomes].count(Refused) == 1
    roles = [one["role"] for one in (await my_chat(ada, chat))["members"]]
    assert sorted(roles) == ["admin", "member", "owner"]


# How one keeps a chat for oneself.


@EACH_KIND
async def test_muting_and_archiving_reach_ones_other_devices_and_nobody_else(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    mine, other = await (await server.log_in_again(ada)).live(transport), await ben.live(transport)
    path = f"/chats/{chat}/settings"
    ack = await ada.api("PATCH", path, notify="mentions")
    await ada.api("PATCH", path, archived=True)
    first, second = await mine.one("chat_settings"), await mine.one("chat_settings")
    who = {"chat_id": chat, "user_id": ada.user_id}
    assert first["id"] == ack["event_id"]
    assert first["data"] == {**who, "notify": "mentions", "archived": False}
    assert second["data"] == {**who, "notify": "mentions", "archived": True}
    seen = await my_chat(ada, chat)
    assert (seen["notify"], seen["archived"]) == ("mentions", True)
    assert (await my_chat(ben, chat))["notify"] == "all"
    await other.until_id((await ada.say(chat))["event_id"])
    assert "chat_settings" not in other.types()


async def test_settings_that_stay_are_no_event_and_strangers_have_none(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.direct(ben)
    path = f"/chats/{chat}/settings"
    assert (await ada.api("PATCH", path, notify="all", archived=False))["event_id"] is None
    assert await refused(ada.api("PATCH", path, notify="loud")) == (422, "invalid", "notify")
    assert await refused(ada.api("PATCH", path, archived=3)) == (422, "invalid", "archived")
    assert await refused(eve.api("PATCH", path, notify="none")) == (403, "not_a_member", None)


# The list of chats.


async def test_a_deleted_message_is_unread_no_more(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    first, second = await ada.say(chat), await ada.say(chat)
    await ada.api("DELETE", f"/messages/{second['message_id']}")
    seen = await my_chat(ben, chat)
    assert seen["unread"] == 1
    assert seen["last_message"]["event_id"] == second["event_id"]
    assert seen["last_message"]["content"] is None
    await ada.api("DELETE", f"/messages/{first['message_id']}")
    assert (await my_chat(ben, chat))["unread"] == 0


async def test_a_direct_chat_looks_like_the_other_person(server: Server) -> None:
    ada, ben = await server.users(2)
    seen = await my_chat(ada, await ada.direct(ben))
    assert (seen["title"], seen["description"], seen["picture"]) == (ben.name, "", None)
    assert seen["member_count"] == 2


async def test_the_list_names_the_first_hundred_members_of_each_chat_in_order(
    server: Server,
) -> None:
    ada, *others = await server.users(131)
    large = await ada.group(*others)
    small = await ada.group(*others[:3])
    await role(ada, large, others[120], "admin")
    await role(ada, small, others[2], "admin")
    for chat, size in ((large, 131), (small, 4)):
        seen = await my_chat(ada, chat)
        listed = [one["user_id"] for one in seen["members"]]
        paged = await ada.api("GET", f"/chats/{chat}/members?limit=100")
        assert (seen["member_count"], len(listed)) == (size, min(size, 100))
        assert listed[0] == ada.user_id
        assert seen["members"][1]["role"] == "admin"
        assert seen["members"] == paged["members"]


async def test_of_many_chats_fewer_members_each_are_named(server: Server) -> None:
    ada, *others = await server.users(20)
    chats = [await ada.group(*others, title=f"{n}") for n in range(2)]

    async def copy(tx: Any) -> None:
        found = (await tx.fetch(select(members).where(members.c.chat_id == chats[0]))).all()
        chat = (await tx.fetch(select(rows).where(rows.c.id == chats[0]))).one()
        for n in range(118):
            tx.run(insert(rows), {**chat._mapping, "id": f"c{n}"})
            for row in found:
                tx.run(insert(members), {**row._mapping, "chat_id": f"c{n}"})

    await server.services.writer.do(copy)
    small = await ada.direct(others[0])
    found = (await ada.api("GET", "/chats"))["chats"]
    listed = {one["chat_id"]: len(one["members"]) for one in found}
    assert listed.pop(small) == 2
    assert set(listed.values()) == {16}
    assert {one["member_count"] for one in found} == {2, 20}
    seen = next(one for one in found if one["chat_id"] == chats[1])
    paged = await ada.api("GET", f"/chats/{chats[1]}/members?limit=16")
    assert seen["members"] == paged["members"]


@pytest.mark.parametrize(
    ("sizes", "each"),
    [
        ([], 100),
        ([100] * 20, 100),
        ([5000] * 20, 100),
        ([100] * 21, 95),
        ([2] * 1000, 100),
        ([20] * 1001, 2),
        ([2] * 900 + [150] * 4, 50),
    ],
)
def test_a_list_of_chats_names_at_most_two_thousand_members_and_two_of_each(
    sizes: list[int], each: int
) -> None:
    assert share(sizes) == each


async def test_a_user_reads_the_list_once_at_a_time_and_delays_nobody_else(
    server: Server,
) -> None:
    core, running, order = server.services.core, asyncio.Event(), list[str]()
    go_on = asyncio.Event()

    async def first(_: Any) -> None:
        running.set()
        await go_on.wait()
        order.append("first")

    async def other(_: Any) -> None:
        order.append("of somebody else")

    async def second(_: Any) -> None:
        order.append("second")

    gone = asyncio.create_task(core.read_in_turn("ada", first))
    await running.wait()
    gone.cancel()
    waiting = asyncio.create_task(core.read_in_turn("ada", second))
    await core.read_in_turn("ben", other)
    go_on.set()
    await waiting
    assert order == ["of somebody else", "first", "second"]


# How many chats.


async def test_whoever_is_in_too_many_chats_makes_and_enters_no_more(
    start: Callable[..., Awaitable[Server]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_rooms, "MOST_CHATS", 2)
    server = await start(no_limits=False)
    ada, ben, eve = await server.users(3)
    room = await ben.group(public=True)
    link = (await ben.api("POST", f"/chats/{room}/invites"))["invite_id"]
    direct, group = await ada.direct(ben), await ada.group()
    full = (422, "invalid", None)
    for call in (
        ada.direct(eve),
        ada.group(),
        ada.api("POST", f"/chats/{room}/members/me"),
        ada.api("POST", f"/invites/{link}"),
    ):
        assert await refused(call) == full
    assert await ada.direct(ben) == direct
    await ada.api("DELETE", f"/chats/{group}/members/me")
    assert (await ada.api("POST", f"/invites/{link}"))["event_id"]


async def test_a_client_id_of_a_chat_that_was_left_is_refused(server: Server) -> None:
    ada = await server.user()
    fields = {"kind": "group", "title": "Tea", "client_id": "once"}
    chat = (await ada.api("POST", "/chats", **fields))["chat_id"]
    assert (await ada.api("POST", "/chats", **fields))["chat_id"] == chat
    await ada.api("DELETE", f"/chats/{chat}/members/me")
    assert await refused(ada.api("POST", "/chats", **fields)) == (409, "conflict", "client_id")


# Members by pages.


async def test_all_members_come_by_pages_each_once(server: Server) -> None:
    ada, *others = await server.users(25)
    chat = await ada.group(*others)
    await role(ada, chat, others[9], "admin")
    found, after = [], ""
    while True:
        page = await ada.api("GET", f"/chats/{chat}/members?limit=10&after={after}")
        assert page["member_count"] == 25
        found += page["members"]
        if not page["has_more"]:
            break
        after = page["after"]
    assert page["after"] is None
    assert {one["user_id"] for one in found} == {one.user_id for one in (ada, *others)}
    assert len(found) == 25
    assert [one["role"] for one in found[:3]] == ["owner", "admin", "member"]


async def test_members_are_found_by_a_part_of_the_name_in_any_script(server: Server) -> None:
    ada = await server.user("Ada")
    eve = await server.user("Єва_100%")
    await server.user("Eva")
    chat = await ada.group(eve)

    async def found(q: str) -> list[str]:
        page = await ada.request("GET", f"/api/chats/{chat}/members", params={"q": q})
        return [one["name"] for one in page.json()["members"]]

    assert await found("ЄВА") == ["Єва_100%"]
    assert await found("_1") == ["Єва_100%"]
    assert await found("a%") == []
    assert await found("DA") == ["Ada"]


async def test_members_of_a_private_chat_are_for_members(server: Server) -> None:
    ada, eve = await server.users(2)
    private, public = await ada.group(), await ada.group(public=True)
    path = "/chats/{}/members"
    assert await refused(eve.api("GET", path.format(private))) == (403, "not_a_member", None)
    assert await refused(eve.api("GET", path.format("none"))) == (404, "chat_not_found", None)
    assert (await eve.api("GET", path.format(public)))["member_count"] == 1


@pytest.mark.parametrize(
    "mark", ["x", "WzFd", "WyJhIiwyLDNd", "WzAsOTk5OTk5OTk5OTk5OTk5OTk5LCIiXQ"]
)
async def test_a_mark_that_no_page_gave_is_refused(server: Server, mark: str) -> None:
    ada = await server.user()
    chat = await ada.group()
    asked = ada.api("GET", f"/chats/{chat}/members?after={mark}")
    assert await refused(asked) == (422, "invalid", "after")
    assert await refused(ada.api("GET", f"/rooms?before={mark}")) == (422, "invalid", "before")


# The directory.


async def test_the_directory_lists_public_rooms_the_largest_first(server: Server) -> None:
    ada, ben, eve = await server.users(3)
    small, large = await ada.group(public=True, title="B"), await ada.group(ben, public=True)
    same = await ada.group(public=True, title="A")
    await ada.group(ben)
    await ada.direct(ben)
    said = await ada.say(large)
    await change(ada, large, description="Everything")
    rooms = (await ben.api("GET", "/rooms"))["rooms"]
    assert [one["chat_id"] for one in rooms] == [large, same, small]
    assert rooms[0] == {
        "chat_id": large,
        "title": rooms[0]["title"],
        "description": "Everything",
        "picture": None,
        "member_count": 2,
        "is_member": True,
        "last_activity": said["timestamp"],
    }
    assert [one["is_member"] for one in rooms] == [True, False, False]
    assert not any(one["is_member"] for one in (await eve.api("GET", "/rooms"))["rooms"])


async def test_the_directory_comes_by_pages(server: Server) -> None:
    ada = await server.user()
    made = [await ada.group(public=True, title=f"Room {n:02}") for n in range(7)]
    found, before = [], ""
    for more in (True, True, False):
        page = await ada.api("GET", f"/rooms?limit=3&before={before}")
        assert page["has_more"] is more
        found += [one["chat_id"] for one in page["rooms"]]
        before = page["before"]
    assert found == made


async def test_rooms_are_found_by_title_and_description_whatever_the_case_of_letters(
    server: Server,
) -> None:
    ada = await server.user()
    garden = await ada.group(public=True, title="Город и Сад")
    street = await ada.group(public=True, title="Straße 100%")
    await change(ada, garden, description="Über Rosen_und Äpfel")

    async def found(q: str, **more: Any) -> list[str]:
        answer = await ada.request("GET", "/api/rooms", params={"q": q, **more})
        return [one["chat_id"] for one in answer.json()["rooms"]]

    assert await found("САД") == await found("рОд И") == await found("ÜBER") == [garden]
    assert await found("STRASSE") == await found("0%") == [street]
    assert await found("_u") == [garden]
    assert await found("%") == [street]
    assert await found("tulips") == []
    assert set(await found("  ")) == {garden, street}
    assert len(await found("s", limit=1)) == 1


async def test_a_search_that_is_too_long_is_refused(server: Server) -> None:
    ada = await server.user()
    assert await refused(ada.api("GET", f"/rooms?q={'x' * 101}")) == (422, "invalid", "q")
    assert await refused(ada.api("GET", "/rooms?limit=none")) == (422, "invalid", "limit")
