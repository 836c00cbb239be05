"""People: finding them, what others see of them, and what they change of themselves."""

from __future__ import annotations

from typing import Any

import pytest
from support.readers import Refused
from support.server import Person, Server


async def names(person: Person, query: str) -> list[str]:
    return [one["name"] for one in (await person.api("GET", f"/users?{query}"))["users"]]


async def test_people_are_found_by_the_beginning_of_their_names(server: Server) -> None:
    ada = await server.user("Ada")
    for name in ("Ben", "benita", "BENNO", "Bea", "Éva", "éric", "Bo%b", "Bo_b", "Boxb"):
        await server.user(name)
    assert await names(ada, "q=ben") == ["Ben", "benita", "BENNO"]
    assert await names(ada, "q=@BEN") == ["Ben", "benita", "BENNO"]
    assert await names(ada, "q=é") == ["éric", "Éva"]
    assert await names(ada, "q=Bo%25") == ["Bo%b"]
    assert await names(ada, "q=bo_") == ["Bo_b"]
    assert await names(ada, "q=en") == []
    assert await names(ada, "q=b&limit=2") == ["Bea", "Ben"]
    assert await names(ada, "name=BEN") == ["Ben"]


async def test_at_most_twenty_are_found(server: Server) -> None:
    ada = await server.user("Ada")
    for number in range(25):
        await server.user(f"friend{number:02}")
    want = [f"friend{number:02}" for number in range(20)]
    assert await names(ada, "q=friend") == await names(ada, "q=friend&limit=500") == want
    assert len(await names(ada, "q=")) == 20


async def test_within_a_chat_only_its_members_are_found_and_only_by_members(
    server: Server,
) -> None:
    ada, ben = await server.user("Ada"), await server.user("Ben")
    benno = await server.user("Benno")
    chat = await ada.group(ben)
    assert await names(ada, f"q=ben&chat_id={chat}") == ["Ben"]
    assert await names(ada, f"chat_id={chat}") == ["Ada", "Ben"]
    for who, where, code in (
        (benno, chat, "not_a_member"),
        (ada, "nowhere", "chat_not_found"),
    ):
        with pytest.raises(Refused) as refused:
            await names(who, f"q=ben&chat_id={where}")
        assert refused.value.code == code


async def test_who_was_removed_is_found_nowhere(server: Server) -> None:
    ada, ben = await server.user("Ada"), await server.user("Ben")
    await server.services.accounts.remove(ben.user_id, by=None)
    assert await names(ada, "q=") == ["Ada"]
    for query in ("q=ben", "q=removed", "q=Deleted"):
        assert await names(ada, query) == []
    for path in ("/users?name=Ben", f"/users?name=removed {ben.user_id}"):
        with pytest.raises(Refused) as refused:
            await ada.api("GET", path)
        assert refused.value.code == "user_not_found"
    with pytest.raises(Refused) as refused:
        await ada.api("GET", f"/users/{ben.user_id}")
    assert refused.value.problem["detail"] == "This account was removed."
    with pytest.raises(Refused) as refused:
        await ben.api("GET", "/me")
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")


async def test_a_profile_has_all_its_fields(server: Server) -> None:
    ada, ben = await server.user("Ada"), await server.user("Ben", email="ben@example.org")
    await ben.api("PATCH", "/me", about="Likes tea.\nAnd trains.")
    assert await ada.api("GET", f"/users/{ben.user_id}") == {
        "user_id": ben.user_id,
        "name": "Ben",
        "picture": None,
        "about": "Likes tea.\nAnd trains.",
        "presence": {"state": "offline", "last_seen": None},
        "friendship": "none",
        "is_following": False,
        "follows_you": False,
        "followers": 0,
        "following": 0,
    }
    await ben.live("ws")
    profile = await ada.api("GET", f"/users/{ben.user_id}")
    assert profile["presence"]["state"] == "online"
    with pytest.raises(Refused) as refused:
        await ada.api("GET", "/users/nobody")
    assert (refused.value.status, refused.value.code) == (404, "user_not_found")


async def test_when_somebody_was_last_seen_is_for_friends_and_those_who_share_a_chat(
    server: Server,
) -> None:
    ada, ben, eve, fay = [await server.user(name) for name in ("Ada", "Ben", "Eve", "Fay")]
    await ada.group(ben)
    await eve.api("POST", f"/friends/{ben.user_id}")
    reader = await ben.live("ws")
    await reader.close()
    server.move_clock(60)
    await server.services.presence.sweep()

    async def last_seen(person: Person) -> Any:
        profile = await person.api("GET", f"/users/{ben.user_id}")
        assert profile["presence"]["state"] == "offline"
        return profile["presence"]["last_seen"]

    assert [await last_seen(one) is not None for one in (ada, eve, fay)] == [True, False, False]
    await ben.api("POST", f"/friends/{eve.user_id}/accept")
    assert await last_seen(eve) == await last_seen(ada) == await last_seen(ben)


async def test_what_one_changes_of_oneself_is_told_to_ones_devices_and_a_name_to_friends(
    server: Server,
) -> None:
    ada, ben, eve = [await server.user(name) for name in ("Ada", "Ben", "Eve")]
    await ada.api("POST", f"/friends/{ben.user_id}")
    await ben.api("POST", f"/friends/{ada.user_id}")
    fence = await ada.group(ben, eve)
    mine, friend, other = [await one.live("ws") for one in (ada, ben, eve)]
    answer = await ada.api("PATCH", "/me", name="Countess", email="a@example.org", about="Hi")
    assert answer == await ada.api("GET", "/me")
    assert answer == {
        "user_id": ada.user_id,
        "name": "Countess",
        "picture": None,
        "email": "a@example.org",
        "about": "Hi",
        "is_admin": False,
    }
    told = {"user_id": ada.user_id, "name": "Countess", "picture": None}
    assert (await mine.one("user_updated"))["data"] == told
    assert (await friend.one("user_updated"))["data"] == told
    await ada.api("PATCH", "/me", about="Hello")
    await mine.one("user_updated")
    last = (await ada.say(fence))["event_id"]
    assert "user_updated" not in [event["type"] for event in await friend.until_id(last)]
    await other.until_id(last)
    assert "user_updated" not in other.types()


async def test_what_is_not_named_stays_and_what_is_the_same_is_not_told(server: Server) -> None:
    ada = await server.user("Ada", email="ada@example.org")
    await ada.api("PATCH", "/me", about="Hi")
    events = await server.count_events()
    await ada.api("PATCH", "/me", name="Ada", about=" Hi ")
    assert (await ada.request("PATCH", "/api/me", json={})).is_success
    assert await server.count_events() == events
    await ada.api("PATCH", "/me", name="ADA")
    await ada.api("PATCH", "/me", email=None)
    me = await ada.api("PATCH", "/me", about="")
    assert (me["name"], me["email"], me["about"]) == ("ADA", None, "")
    form = await ada.request("PATCH", "/api/me", data={"about": "by form"})
    assert form.json()["about"] == "by form"


BAD: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "a name that is taken": ({"name": "bEN"}, 409, "name_taken", "name"),
    "a name with spaces": ({"name": "Ada L"}, 422, "invalid", "name"),
    "no name": ({"name": ""}, 422, "invalid", "name"),
    "a name that is null": ({"name": None}, 422, "invalid", "name"),
    "no address": ({"email": "here"}, 422, "invalid", "email"),
    "too much about oneself": ({"about": "x" * 501}, 422, "invalid", "about"),
    "no text": ({"about": 5}, 422, "invalid", "about"),
    "a NUL": ({"about": "a\0b"}, 422, "invalid", "about"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_profile_that_is_not_allowed_is_refused_with_the_field(
    server: Server, name: str
) -> None:
    ada, _ = await server.user("Ada"), await server.user("Ben")
    wish, status, code, field = BAD[name]
    me, events = await ada.api("GET", "/me"), await server.count_events()
    with pytest.raises(Refused) as refused:
        await ada.api("PATCH", "/me", **wish)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert refused.value.problem["field"] == field
    assert (await ada.api("GET", "/me"), await server.count_events()) == (me, events)


async def test_a_name_that_somebody_gave_up_is_free(server: Server) -> None:
    ada, ben = await server.user("Ada"), await server.user("Ben")
    await ada.api("PATCH", "/me", name="Countess")
    await ben.api("PATCH", "/me", name="Ada")
    assert await names(ada, "q=ada") == ["Ada"]
    chat = await ada.direct(ben)
    await ada.say(chat, "@Ada is you now")
    [told] = (await ben.api("GET", "/notifications"))["notifications"]
    assert told["message"] == "Countess mentioned you: @Ada is you now"
