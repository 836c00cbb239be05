"""A small site with a life of its own, told through the public API: for pictures of every page,
and for tests that look at all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from quartchat.store.schema import users
from support.server import Person, Server

TALK = [
    ("ada", "Morning! The **kettle** is on, who wants tea?"),
    ("ben", "Me, please. Green if there is some :-)"),
    ("olena", "Доброго ранку! Мені чорний, без цукру."),
    ("ada", "Noted. @ben the builds failed over night, here is the line:"),
    ("ada", "```\nE  AssertionError: 3 of 4 messages came\n   tests/proxies/test_squid.py:41\n```"),
    (
        "ben",
        "Looking. It is `proxy_read_timeout` again, see https://example.org/docs/timeouts (§3)",
    ),
    ("yusuf", "مرحبا بالجميع، وصلت إلى المكتب للتو"),
    ("ben", "> 3 of 4 messages came\n\nMended: the hold was *longer* than the proxy's patience."),
    ("olena", "🎉🎉🎉"),
    ("ada", "Thank you! Release notes are in https://example.org/releases/2026-11"),
]


@dataclass
class Story:
    """`room` is public, `direct` between ada and ben; `asked` is one message of the room."""

    server: Server
    people: dict[str, Person]
    room: str
    direct: str
    empty: str
    asked: str
    invite: str

    @property
    def ada(self) -> Person:
        return self.people["ada"]


async def tell(server: Server) -> Story:
    names = ("ada", "ben", "olena", "yusuf", "mallory", "newcomer")
    people = {name: await server.user(name) for name in names}
    ada, ben, olena = people["ada"], people["ben"], people["olena"]
    await _promote(server, ada)
    room = await ada.group(ben, olena, people["yusuf"], public=True, title="Tea room")
    said = [await people[who].say(room, text) for who, text in TALK]
    await _mark(people, said, room)
    direct = await ada.direct(ben)
    await ben.say(direct, "Lunch at one?")
    await ada.say(direct, "Yes! Usual place.")
    await ben.say(direct, "See you there")
    empty = await ada.group(ben, title="Release 2.0")
    await ada.group(title="A room with a title that is quite a bit longer than most", public=True)
    await _befriend(people)
    fields = {"description": "Tea, builds and everything between them."}
    await ada.api("PATCH", f"/chats/{room}", **fields)
    await ada.api("POST", f"/chats/{room}/bans", user_id=people["mallory"].user_id)
    invite = (await ada.api("POST", f"/chats/{room}/invites", expires_in=86_400))["invite_id"]
    return Story(server, people, room, direct, empty, said[3]["message_id"], invite)


async def _promote(server: Server, person: Person) -> None:
    async def work(tx: Any) -> None:
        tx.run(update(users).where(users.c.id == person.user_id).values(is_admin=True))

    await server.services.writer.do(work)


async def _mark(people: dict[str, Person], said: list[dict[str, Any]], room: str) -> None:
    ada, ben, olena = people["ada"], people["ben"], people["olena"]
    path = "/messages/{}/reactions"
    for person, emoji in ((ben, "👍"), (olena, "👍"), (ada, "☕")):
        await person.api("POST", path.format(said[0]["message_id"]), emoji=emoji)
    await ada.api("PATCH", f"/messages/{said[-1]['message_id']}", content=TALK[-1][1] + " 🎂")
    await ada.api("POST", f"/messages/{said[5]['message_id']}/pin")
    slip = await ben.say(room, "wrong window, sorry")
    await ben.api("DELETE", f"/messages/{slip['message_id']}")
    answer = {"reply_to": said[5]["message_id"]}
    await olena.say(room, "@ada could you look at the second page of it?", **answer)


async def _befriend(people: dict[str, Person]) -> None:
    ada, ben, olena = people["ada"], people["ben"], people["olena"]
    await ada.api("POST", f"/friends/{ben.user_id}")
    await ben.api("POST", f"/friends/{ada.user_id}/accept")
    await olena.api("POST", f"/friends/{ada.user_id}")
    await ada.api("POST", f"/friends/{people['yusuf'].user_id}")
    await olena.api("POST", f"/follows/{ada.user_id}")
    await ada.api("POST", f"/follows/{olena.user_id}")
