"""What is stored once, kept as long as it is needed, and taken away then."""

from __future__ import annotations

import asyncio
from typing import Any

from support.server import Person, Server

from files.conftest import Start
from files.sending import (
    begin,
    download,
    eventually,
    go_on,
    in_pieces,
    leaving_nothing,
    on_disk,
    picture,
    send_form,
    sent,
    traces,
)

DAY = 86400.0
BIG = (900, 700)


async def test_the_same_content_is_stored_once_and_goes_with_the_last_message(
    server: Server,
) -> None:
    ada, bob = await server.users(2)
    chat_id, other = await ada.group(bob), await bob.group()
    made = [await send_form(who, chat_id, "a.png", picture(BIG, "PNG")) for who in (ada, bob)]
    made.append(await send_form(bob, other, "b.png", picture(BIG, "PNG")))
    once = len(on_disk(server))
    said = [
        await sent(who, where, one)
        for who, where, one in zip((ada, bob, bob), (chat_id, chat_id, other), made, strict=True)
    ]
    for number, who in enumerate((ada, bob)):
        await who.api("DELETE", f"/messages/{said[number]['message_id']}")
        await server.services.sweeper.sweep()
        assert len(on_disk(server)) == once
        assert (await download(bob, made[2]["thumbnail_url"])).status_code == 200
    await bob.api("DELETE", f"/messages/{said[2]['message_id']}")
    await eventually(lambda: on_disk(server) == [])


async def test_deleting_a_message_takes_its_files_from_the_disk_soon(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    before = await traces(server)
    files = [
        await send_form(ada, chat_id, "a.png", picture(BIG, "PNG", optimize=o)) for o in (0, 1)
    ]
    said = await sent(ada, chat_id, *files)
    await ada.api("DELETE", f"/messages/{said['message_id']}")
    await until_traces(server, before)


async def until_traces(server: Server, wanted: Any) -> None:
    async with asyncio.timeout(5):
        while await traces(server) != wanted:
            await asyncio.sleep(0.01)


async def test_removing_an_account_takes_its_files_from_the_disk_soon(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    before = await traces(server)
    await sent(bob, chat_id, await send_form(bob, chat_id, "a.png", picture()))
    await send_form(bob, chat_id, "b.png", picture(BIG, "PNG"))
    await go_on(bob, await begin(bob, chat_id, 5), 0, b"Hel")
    await server.services.accounts.remove(bob.user_id, by=None)
    await until_traces(server, before)


async def test_an_edit_keeps_the_files_and_may_take_all_of_the_text(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    made = await in_pieces(ada, chat_id, "a.txt", b"Hello")
    said = await sent(ada, chat_id, made, content="look")
    reader = await bob.live()
    for content in ("see", ""):
        await ada.api("PATCH", f"/messages/{said['message_id']}", content=content)
        event = await reader.one("message_edited")
        assert (event["data"]["content"], event["data"]["attachments"]) == (content, [made])
        assert (await bob.history(chat_id))[-1]["attachments"] == [made]
    assert (await download(bob, made["url"])).content == b"Hello"
    words = await ada.say(chat_id, "words")
    refused = await ada.request(
        "PATCH", f"/api/messages/{words['message_id']}", json={"content": ""}
    )
    assert refused.status_code == 422


async def test_what_was_never_sent_goes_after_a_week(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        made = await in_pieces(ada, chat_id, "a.txt", b"Hello")
        await in_pieces(ada, chat_id, "b.txt", b"Other")
        server.move_clock(6.9 * DAY)
        await server.services.sweeper.sweep()
        ada = await server.log_in_again(ada)
        assert (await download(ada, made["url"])).content == b"Hello"
        server.move_clock(0.2 * DAY)
        await server.services.sweeper.sweep()
        ada = await server.log_in_again(ada)
        assert (await download(ada, made["url"])).status_code == 404


async def test_what_was_sent_stays_however_old_it_gets(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    made = await send_form(ada, chat_id, "a.png", picture(BIG, "PNG"))
    await sent(ada, chat_id, made)
    there = on_disk(server)
    for _ in range(3):
        server.move_clock(400 * DAY)
        await server.services.sweeper.sweep()
    assert on_disk(server) == there


async def test_an_upload_that_nobody_goes_on_with_goes_and_frees_its_room(start: Start) -> None:
    server = await start(quota_per_user=10)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        await go_on(ada, await begin(ada, chat_id, 10), 0, b"Hel")
        server.move_clock(3.1 * DAY)
        await server.services.sweeper.sweep()
    ada = await server.log_in_again(ada)
    await begin(ada, chat_id, 10)


async def test_orphans_are_found(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    await sent(ada, chat_id, await in_pieces(ada, chat_id, "a.txt", b"Hello"))
    there, files = on_disk(server), server.services.settings.data / "files"
    for name in ("a" * 24, "b" * 24 + ".work/small.webp"):
        path = files / "incoming" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"left")
    stray = files / "stored" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"left")
    await server.services.sweeper.sweep()
    assert on_disk(server) == sorted([*there, stray])
    for days in (2, 8):  # a database that is not the right one has to be noticed meanwhile
        server.move_clock(days * DAY)
        assert on_disk(server) == sorted([*there, stray])
        await server.services.sweeper.sweep()
    assert on_disk(server) == there
    assert not list((files / "incoming").iterdir())


async def test_the_same_file_twice_at_once_is_stored_once(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id, data = await ada.group(bob), picture(BIG, "PNG")
    ways = [send_form(who, chat_id, "a.png", data) for who in (ada, bob, ada)]
    made = await asyncio.gather(*ways, in_pieces(bob, chat_id, "b.png", data))
    assert len({one["attachment_id"] for one in made}) == 4
    await sent(ada, chat_id, made[0])
    assert len(on_disk(server)) <= 3
    assert (await download(bob, made[0]["url"])).content


async def test_a_file_sent_while_the_same_one_is_deleted_stays(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    old = await sent(ada, chat_id, await in_pieces(ada, chat_id, "a.txt", b"Hello"))
    for _ in range(10):
        new, _ = await asyncio.gather(
            in_pieces(ada, chat_id, "a.txt", b"Hello"), deleted_and_swept(server, ada, old)
        )
        await server.services.sweeper.sweep()
        old = await sent(ada, chat_id, new)
        assert (await download(ada, new["url"])).content == b"Hello"


async def deleted_and_swept(server: Server, who: Person, said: Any) -> None:
    await who.api("DELETE", f"/messages/{said['message_id']}")
    for _ in range(5):
        await server.services.sweeper.sweep()


async def test_files_are_for_the_owner_of_the_server_alone(server: Server) -> None:
    (ada,) = await server.users(1)
    await in_pieces(ada, await ada.group(), "a.txt", b"Hello")
    await go_on(ada, await begin(ada, await ada.group(), 10), 0, b"Hel")
    for path in on_disk(server):
        assert (path.stat().st_mode | path.parent.stat().st_mode) & 0o077 == 0, path
