"""What administrators see and do, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from support.readers import Refused
from support.server import Person, Server

from quartchat.chat.admin import COUNT_SECONDS, PAGE
from quartchat.store import people

PASSWORD = "five blue horses run"


async def boss_of(server: Server, name: str = "boss") -> Person:
    boss = await server.user(name)

    async def promote(tx: Any) -> None:
        people.change(tx, boss.user_id, is_admin=True)

    await server.services.writer.do(promote)
    return boss


async def refused(person: Person, method: str, path: str, **fields: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as refusal:
        await person.api(method, path, **fields)
    return refusal.value.status, refusal.value.code


async def listed(boss: Person, query: str = "") -> list[str]:
    return [row["name"] for row in (await boss.api("GET", f"/admin/users{query}"))["users"]]


ADDRESSES = [
    ("GET", "/admin/overview", {}),
    ("GET", "/admin/users", {}),
    ("GET", "/admin/chats", {}),
    ("GET", "/admin/connections", {}),
    ("PATCH", "/admin/users/{id}", {"is_admin": True}),
    ("PATCH", "/admin/users/{id}", {"new_password": PASSWORD}),
    ("POST", "/admin/users/{id}/logout", {}),
    ("DELETE", "/admin/users/{id}", {}),
]


@pytest.mark.parametrize(("method", "path", "fields"), ADDRESSES)
async def test_it_is_for_administrators_alone(
    server: Server, method: str, path: str, fields: Any
) -> None:
    ada, ben = await server.users(2)
    path = path.format(id=ben.user_id)
    assert await refused(ada, method, path, **fields) == (403, "forbidden")
    await ben.api("GET", "/me")
    nobody = await server.client.request(method, f"{server.url}/api{path}", json=fields)
    assert nobody.status_code == 401


async def test_who_is_no_administrator_any_more_may_nothing_more(server: Server) -> None:
    boss, other = await boss_of(server), await boss_of(server, "other")
    await boss.api("PATCH", f"/admin/users/{other.user_id}", is_admin=False)
    assert await refused(other, "GET", "/admin/overview") == (403, "forbidden")


async def test_the_overview_counts(server: Server) -> None:
    boss, ada = await boss_of(server), await server.user()
    chat = await ada.group(boss)
    await ada.say_many(chat, 3)
    await ada.live("ws")
    await ada.live("sse")
    found = await boss.api("GET", "/admin/overview")
    assert (found["users"], found["chats"], found["messages"], found["online"]) == (2, 1, 3, 1)
    assert found["connections"] == {"sse": 1, "websocket": 1}
    assert (found["head"], found["floor"]) == (await server.head(), 0)
    assert found["database_bytes"] > 0 and found["tail_bytes"] > 0
    assert found["uptime"] >= 0 and found["version"]
    await ada.say(chat)
    assert (await boss.api("GET", "/admin/overview"))["messages"] == 3
    server.move_clock(COUNT_SECONDS)
    assert (await boss.api("GET", "/admin/overview"))["messages"] == 4


async def test_users_are_listed_by_name_with_what_is_known(server: Server) -> None:
    boss, ada = await boss_of(server), await server.user("ada", email="ada@example.org")
    await ada.live("ws")
    users = (await boss.api("GET", "/admin/users"))["users"]
    assert [row["name"] for row in users] == ["ada", "boss"]
    hers = users[0]
    assert (hers["user_id"], hers["email"]) == (ada.user_id, "ada@example.org")
    assert (hers["is_admin"], hers["removed"]) == (False, False)
    assert (hers["presence"], hers["connections"], hers["last_seen"]) == ("online", 1, None)
    assert users[1]["is_admin"] and users[1]["presence"] == "offline"


async def test_users_are_found_by_name_email_and_id(server: Server) -> None:
    boss, ada = await boss_of(server), await server.user("Ada", email="countess@example.org")
    await server.user("100%")
    for text in ("ADA", "ess@ex", ada.user_id):
        assert await listed(boss, f"?q={text}") == ["Ada"]
    assert await listed(boss, "?q=%25") == ["100%"]
    assert await listed(boss, "?q=nobody") == []


async def test_lists_come_in_pages(server: Server) -> None:
    boss = await boss_of(server)
    names = sorted(f"u{number:03}" for number in range(PAGE))

    async def work(tx: Any) -> None:
        for name in names:
            row = {"id": name, "name": name, "email": None, "password_hash": None}
            people.add(tx, {**row, "is_admin": False, "created_at": tx.now})

    await server.services.writer.do(work)
    first = await boss.api("GET", "/admin/users")
    second = await boss.api("GET", "/admin/users?page=2")
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert [row["name"] for row in first["users"] + second["users"]] == ["boss", *names]
    for bad in ("0", "-1", "x", "1.5"):
        assert await refused(boss, "GET", f"/admin/users?page={bad}") == (422, "invalid")


async def test_chats_are_listed_with_their_sizes(server: Server) -> None:
    boss = await boss_of(server)
    ada, ben = await server.user("ada"), await server.user("ben")
    direct = await ada.direct(ben)
    room = await ada.group(ben, public=True, title="Tea Room")
    await ada.say_many(room, 2)
    chats = (await boss.api("GET", "/admin/chats"))["chats"]
    assert [chat["chat_id"] for chat in chats] == [room, direct]
    assert [chat["title"] for chat in chats] == ["Tea Room", "ada, ben"]
    assert [(c["kind"], c["public"]) for c in chats] == [("group", True), ("direct", False)]
    assert [(c["members"], c["messages"]) for c in chats] == [(2, 2), (2, 0)]
    assert chats[0]["last_message_at"] and chats[1]["last_message_at"] is None
    for text, found in (("tea", [room]), ("BEN", [direct]), (direct, [direct]), ("zz", [])):
        some = (await boss.api("GET", f"/admin/chats?q={text}"))["chats"]
        assert [chat["chat_id"] for chat in some] == found


async def test_open_connections_are_listed_with_transport_address_and_since_when(
    server: Server,
) -> None:
    boss, ada = await boss_of(server), await server.user("ada")
    assert (await boss.api("GET", "/admin/connections"))["connections"] == []
    await ada.live("sse")
    [one] = (await boss.api("GET", "/admin/connections"))["connections"]
    assert (one["user_id"], one["name"], one["transport"]) == (ada.user_id, "ada", "sse")
    assert one["address"] == "127.0.0.1" and one["since"].endswith("Z")


async def test_an_administrator_is_made_and_unmade_but_the_last_one_stays(server: Server) -> None:
    boss, ada = await boss_of(server), await server.user()
    mine, hers = f"/admin/users/{boss.user_id}", f"/admin/users/{ada.user_id}"
    assert await refused(boss, "PATCH", mine, is_admin=False) == (409, "conflict")
    await boss.api("PATCH", hers, is_admin=True)
    await ada.api("GET", "/admin/overview")
    await boss.api("PATCH", mine, is_admin=False)
    assert await refused(ada, "PATCH", hers, is_admin=False) == (409, "conflict")
    assert await refused(ada, "DELETE", hers) == (409, "conflict")


async def test_a_user_is_logged_out_everywhere(server: Server) -> None:
    boss, ada = await boss_of(server), await server.user()
    again = await server.log_in_again(ada)
    readers = [await ada.live("ws"), await again.live("sse")]
    await boss.api("POST", f"/admin/users/{ada.user_id}/logout")
    for reader in readers:
        assert (await reader.refusal())[0] == "unauthenticated"
    for person in (ada, again):
        assert await refused(person, "GET", "/chats") == (401, "unauthenticated")
    await boss.api("GET", "/me")


async def test_a_new_password_ends_the_logins_and_lets_the_user_in(server: Server) -> None:
    boss, ada = await boss_of(server), await server.user("ada")
    reader = await ada.live("ws")
    await boss.api("PATCH", f"/admin/users/{ada.user_id}", new_password=PASSWORD)
    assert (await reader.refusal())[0] == "unauthenticated"
    assert await refused(ada, "GET", "/chats") == (401, "unauthenticated")
    credentials = {"name": "ada", "password": PASSWORD}
    answer = await server.client.post(f"{server.url}/api/login", json=credentials)
    assert answer.json()["user_id"] == ada.user_id


async def test_a_password_that_is_none_and_ones_own_are_refused(server: Server) -> None:
    boss, ada = await boss_of(server), await server.user()
    hers = f"/admin/users/{ada.user_id}"
    assert await refused(boss, "PATCH", hers, new_password="short") == (422, "invalid")
    mine = f"/admin/users/{boss.user_id}"
    assert await refused(boss, "PATCH", mine, new_password=PASSWORD) == (403, "forbidden")
    await ada.api("GET", "/me")


async def test_a_user_is_removed_and_their_connections_end(server: Server) -> None:
    boss, ada = await boss_of(server), await server.user("ada")
    reader = await ada.live("ws")
    await boss.api("DELETE", f"/admin/users/{ada.user_id}")
    assert (await reader.refusal())[0] == "unauthenticated"
    assert await refused(ada, "GET", "/chats") == (401, "unauthenticated")
    [*_, last] = (await boss.api("GET", "/admin/users"))["users"]
    assert (last["user_id"], last["removed"], last["email"]) == (ada.user_id, True, None)
    assert await listed(boss, "?q=ada") == []


@pytest.mark.parametrize(("method", "path", "fields"), ADDRESSES[4:])
async def test_of_nobody_nothing_can_be_changed(
    server: Server, method: str, path: str, fields: Any
) -> None:
    boss = await boss_of(server)
    path = path.format(id="nobody")
    assert await refused(boss, method, path, **fields) == (404, "user_not_found")
