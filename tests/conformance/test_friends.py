"""Friends and followers: who may do what when, and what each side hears of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.readers import KINDS, Refused, Transport
from support.server import Person, Server

from quartchat.chat.friends import QUIET_SECONDS

EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)


async def pair(server: Server) -> tuple[Person, Person]:
    return await server.user("Ada"), await server.user("Ben")


async def ask(one: Person, other: Person) -> str:
    return (await one.api("POST", f"/friends/{other.user_id}"))["friendship"]


async def accept(one: Person, other: Person) -> str:
    return (await one.api("POST", f"/friends/{other.user_id}/accept"))["friendship"]


async def decline(one: Person, other: Person) -> str:
    return (await one.api("POST", f"/friends/{other.user_id}/decline"))["friendship"]


async def end(one: Person, other: Person) -> str:
    return (await one.api("DELETE", f"/friends/{other.user_id}"))["friendship"]


async def seen(one: Person, other: Person) -> str:
    return (await one.api("GET", f"/users/{other.user_id}"))["friendship"]


async def lists(person: Person) -> dict[str, list[str]]:
    found = await person.api("GET", "/friends")
    names = ("friends", "asking", "asked")
    return {name: [one["name"] for one in found[name]] for name in names}


async def notified(person: Person) -> list[tuple[str, bool]]:
    """(type, whether it is read), the oldest first."""
    found = (await person.api("GET", "/notifications"))["notifications"]
    return [(one["notification_type"], one["read"]) for one in found][::-1]


@EACH_KIND
async def test_a_request_is_told_to_both_and_its_answer_too(
    server: Server, transport: Transport
) -> None:
    ada, ben = await pair(server)
    hers, his = await ada.live(transport), await ben.live(transport)
    assert await ask(ada, ben) == "asked"
    assert (await hers.one("friend_updated"))["data"] == {
        "user_id": ben.user_id,
        "name": "Ben",
        "friendship": "asked",
    }
    assert (await his.one("friend_updated"))["data"]["friendship"] == "asks"
    request = (await his.one("notification"))["data"]
    assert request == {
        "notification_id": request["notification_id"],
        "notification_type": "friend_request",
        "user_id": ben.user_id,
        "message": "Ada wants to be your friend.",
        "timestamp": request["timestamp"],
        "read": False,
        "url": "/friends",
        "thumbnail_url": None,
        "actor": {"user_id": ada.user_id, "name": "Ada"},
    }
    assert await accept(ben, ada) == "friends"
    for reader in (hers, his):
        assert (await reader.one("friend_updated"))["data"]["friendship"] == "friends"
    accepted = (await hers.one("notification"))["data"]
    assert accepted["notification_type"] == "friend_accepted"
    assert accepted["message"] == "Ben accepted your friend request."
    assert accepted["url"] == f"/people/{ben.user_id}"
    read = (await his.one("notifications_read"))["data"]
    assert read["notification_ids"] == [request["notification_id"]]
    assert await notified(ben) == [("friend_request", True)]


async def test_the_lists_say_who_is_a_friend_and_who_waits_for_whom(server: Server) -> None:
    ada, ben, eve, fay = [await server.user(name) for name in ("Ada", "Ben", "Eve", "Fay")]
    await ask(ada, ben)
    await ask(eve, ada)
    await ask(fay, ada)
    await accept(ada, fay)
    assert await lists(ada) == {"friends": ["Fay"], "asking": ["Eve"], "asked": ["Ben"]}
    assert await lists(ben) == {"friends": [], "asking": ["Ada"], "asked": []}
    found = await ada.api("GET", "/friends")
    assert found["friends"] == [{"user_id": fay.user_id, "name": "Fay", "picture": None}]
    assert found["cursor"] == await server.head()
    assert [await seen(ada, other) for other in (ada, ben, eve, fay)] == [
        "self",
        "asked",
        "asks",
        "friends",
    ]


async def test_asking_again_changes_and_tells_nothing(server: Server) -> None:
    ada, ben = await pair(server)
    await ask(ada, ben)
    events = await server.count_events()
    assert await ask(ada, ben) == "asked"
    assert await server.count_events() == events
    await accept(ben, ada)
    events = await server.count_events()
    assert await ask(ada, ben) == await ask(ben, ada) == await accept(ben, ada) == "friends"
    assert await server.count_events() == events


async def test_who_asks_the_one_who_asked_accepts(server: Server) -> None:
    ada, ben = await pair(server)
    await ask(ada, ben)
    assert await ask(ben, ada) == "friends"
    assert await notified(ada) == [("friend_accepted", False)]
    assert await notified(ben) == [("friend_request", True)]


async def test_two_who_ask_each_other_at_once_are_friends(server: Server) -> None:
    ada, ben = await pair(server)
    answers = await asyncio.gather(ask(ada, ben), ask(ben, ada))
    assert sorted(answers) == ["asked", "friends"]
    assert await seen(ada, ben) == await seen(ben, ada) == "friends"


async def test_who_is_declined_does_not_learn_of_it(server: Server) -> None:
    ada, ben = await pair(server)
    fence = await ada.group(ben)
    hers, his = await ada.live("ws"), await ben.live("ws")
    await ask(ada, ben)
    assert await decline(ben, ada) == await decline(ben, ada) == "none"
    states = [(await his.one("friend_updated"))["data"]["friendship"] for _ in range(2)]
    assert states == ["asks", "none"]
    await hers.until_id((await ada.say(fence))["event_id"])
    assert hers.types().count("friend_updated") == 1
    assert (await seen(ada, ben), await seen(ben, ada)) == ("asked", "none")
    assert (await lists(ada))["asked"] == ["Ben"]
    assert await lists(ben) == {"friends": [], "asking": [], "asked": []}
    assert (await notified(ada), await notified(ben)) == ([], [("friend_request", True)])


@pytest.mark.parametrize("is_taken_back", [False, True])
async def test_asking_again_after_being_declined_reaches_nobody(
    server: Server, is_taken_back: bool
) -> None:
    ada, ben = await pair(server)
    fence = await ada.group(ben)
    await ask(ada, ben)
    await decline(ben, ada)
    his = await ben.live("ws")
    for _ in range(3):
        if is_taken_back:
            assert await end(ada, ben) == await seen(ada, ben) == "none"
            assert (await lists(ada))["asked"] == []
        assert await ask(ada, ben) == await seen(ada, ben) == "asked"
        assert await decline(ben, ada) == await end(ben, ada) == "none"
    assert await lists(ben) == {"friends": [], "asking": [], "asked": []}
    await his.until_id((await ada.say(fence))["event_id"])
    assert [event["type"] for event in his.durable] == ["new_message"]
    assert await notified(ben) == [("friend_request", True)]


async def test_after_thirty_days_one_may_be_asked_again(server: Server) -> None:
    ada, ben = await pair(server)
    await ask(ada, ben)
    await decline(ben, ada)
    server.move_clock(QUIET_SECONDS - 60)
    ada, ben = await server.log_in_again(ada), await server.log_in_again(ben)
    await ask(ada, ben)
    assert await seen(ben, ada) == "none"
    server.move_clock(120)
    await ask(ada, ben)
    assert await seen(ben, ada) == "asks"
    assert await notified(ben) == [("friend_request", False)]
    assert await accept(ben, ada) == await seen(ada, ben) == "friends"


async def test_who_declined_makes_friends_by_asking(server: Server) -> None:
    ada, ben = await pair(server)
    await ask(ada, ben)
    await decline(ben, ada)
    assert await ask(ben, ada) == await seen(ada, ben) == await seen(ben, ada) == "friends"
    assert await notified(ada) == [("friend_accepted", False)]
    assert await end(ada, ben) == await seen(ben, ada) == "none"


async def test_who_declined_asks_anew_what_was_taken_back_meanwhile(server: Server) -> None:
    ada, ben = await pair(server)
    await ask(ada, ben)
    await decline(ben, ada)
    await end(ada, ben)
    assert await ask(ben, ada) == "asked"
    assert await seen(ada, ben) == "asks"
    assert await notified(ada) == [("friend_request", False)]


async def test_a_request_that_is_taken_back_is_not_unread_any_more(server: Server) -> None:
    ada, ben = await pair(server)
    reader = await ben.live("ws")
    await ask(ada, ben)
    assert await end(ada, ben) == "none"
    assert (await reader.one("notifications_read"))["data"]["unread"] == 0
    assert await lists(ben) == {"friends": [], "asking": [], "asked": []}
    with pytest.raises(Refused) as refused:
        await accept(ben, ada)
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    for _ in range(3):  # however often: one notification of it is kept
        await ask(ada, ben)
        await end(ada, ben)
    await ask(ada, ben)
    assert await notified(ben) == [("friend_request", False)]


async def test_a_friendship_is_ended_by_either_without_a_notification(server: Server) -> None:
    ada, ben = await pair(server)
    await ask(ada, ben)
    await accept(ben, ada)
    reader = await ada.live("ws")
    assert await end(ben, ada) == "none"
    assert (await reader.one("friend_updated"))["data"]["friendship"] == "none"
    assert await notified(ada) == [("friend_accepted", False)]
    events = await server.count_events()
    assert await end(ben, ada) == await end(ada, ben) == "none"
    assert await server.count_events() == events


async def test_ending_what_the_other_has_asked_declines_it(server: Server) -> None:
    ada, ben = await pair(server)
    await ask(ada, ben)
    assert await end(ben, ada) == "none"
    assert await notified(ben) == [("friend_request", True)]


WRONG: dict[str, tuple[list[str], str, tuple[int, str]]] = {
    "accepting what nobody asked": ([], "accept", (404, "not_found")),
    "accepting one's own request": (["ask"], "accept", (409, "conflict")),
    "declining one's own request": (["ask"], "decline", (409, "conflict")),
    "declining a friend": (["ask", "be accepted"], "decline", (409, "conflict")),
    "accepting what was declined": (["be asked", "decline"], "accept", (404, "not_found")),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_out_of_order_is_refused_and_changes_nothing(
    server: Server, name: str
) -> None:
    ada, ben = await pair(server)
    steps: dict[str, Any] = {
        "ask": lambda: ask(ada, ben),
        "be asked": lambda: ask(ben, ada),
        "be accepted": lambda: accept(ben, ada),
        "accept": lambda: accept(ada, ben),
        "decline": lambda: decline(ada, ben),
    }
    before, last, want = WRONG[name]
    for step in before:
        await steps[step]()
    state, events = await seen(ada, ben), await server.count_events()
    with pytest.raises(Refused) as refused:
        await steps[last]()
    assert (refused.value.status, refused.value.code) == want
    assert refused.value.problem["detail"]
    assert (await seen(ada, ben), await server.count_events()) == (state, events)


@pytest.mark.parametrize("path", ["/friends/{}", "/friends/{}/accept", "/follows/{}"])
async def test_nobody_befriends_or_follows_themselves_or_who_is_not_there(
    server: Server, path: str
) -> None:
    ada, ben = await pair(server)
    await server.services.accounts.remove(ben.user_id, by=None)
    for user_id in ("nobody", ben.user_id):
        with pytest.raises(Refused) as refused:
            await ada.api("POST", path.format(user_id))
        assert (refused.value.status, refused.value.code) == (404, "user_not_found")
    with pytest.raises(Refused) as refused:
        await ada.api("POST", path.format(ada.user_id))
    assert refused.value.status in (404, 422)


async def test_asking_oneself_is_refused_with_the_field(server: Server) -> None:
    ada, _ = await pair(server)
    for path in (f"/friends/{ada.user_id}", f"/follows/{ada.user_id}"):
        with pytest.raises(Refused) as refused:
            await ada.api("POST", path)
        assert (refused.value.code, refused.value.problem["field"]) == ("invalid", "user_id")


async def test_friends_who_were_removed_are_in_no_list(server: Server) -> None:
    ada, ben = await pair(server)
    await ask(ada, ben)
    await accept(ben, ada)
    await ben.api("POST", f"/follows/{ada.user_id}")
    await server.services.accounts.remove(ben.user_id, by=None)
    assert await lists(ada) == {"friends": [], "asking": [], "asked": []}
    assert await ada.api("GET", "/follows") == {"following": [], "followers": []}
    assert "Ben" not in str(await ada.api("GET", "/notifications"))


async def test_who_is_followed_is_told_once(server: Server) -> None:
    ada, ben = await pair(server)
    reader = await ben.live("ws")
    follows = f"/follows/{ben.user_id}"
    answer = {"user_id": ben.user_id, "is_following": True}
    assert await ada.api("POST", follows) == answer
    data = (await reader.one("notification"))["data"]
    assert (data["notification_type"], data["url"]) == ("new_follower", f"/people/{ada.user_id}")
    assert data["message"] == "Ada follows you now."
    events = await server.count_events()
    assert await ada.api("POST", follows) == answer
    for _ in range(3):
        assert await ada.api("DELETE", follows) == {**answer, "is_following": False}
        await ada.api("POST", follows)
    assert await server.count_events() == events
    await ben.api("POST", "/notifications/read", all=True)
    await ada.api("DELETE", follows)
    await ada.api("POST", follows)
    assert await notified(ben) == [("new_follower", False)]


async def test_following_is_one_sided_and_counted(server: Server) -> None:
    ada, ben = await pair(server)
    await ada.api("POST", f"/follows/{ben.user_id}")
    him = {"user_id": ben.user_id, "name": "Ben", "picture": None}
    assert await ada.api("GET", "/follows") == {"following": [him], "followers": []}
    profile = await ada.api("GET", f"/users/{ben.user_id}")
    assert (profile["is_following"], profile["follows_you"]) == (True, False)
    assert (profile["followers"], profile["following"]) == (1, 0)
    back = await ben.api("GET", f"/users/{ada.user_id}")
    assert (back["is_following"], back["follows_you"]) == (False, True)


async def test_nobody_hears_of_the_friendships_of_others(server: Server) -> None:
    ada, ben = await pair(server)
    eve = await server.user("Eve")
    fence = await ada.group(ben, eve)
    reader = await eve.live("ws")
    await ask(ada, ben)
    await accept(ben, ada)
    await reader.until_id((await ada.say(fence))["event_id"])
    assert [event["type"] for event in reader.durable] == ["new_message"]
