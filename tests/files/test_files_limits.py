"""What is too large, too much, too often, or not wanted: each with its own refusal."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from support.server import Server

from files.conftest import Start
from files.sending import (
    OCTETS,
    begin,
    go_on,
    in_pieces,
    leaving_nothing,
    picture,
    refusal,
    send_form,
    sent,
)
from files.wire import BOUNDARY, FORM, asking
from quartchat.chat.uploads import WHOLE_AT_ONCE

KB = b"x" * 1000
HEADER = b'Content-Disposition: form-data; name="file"; filename="a.bin"'
BEGUN = b"--" + BOUNDARY.encode() + b"\r\n" + HEADER + b"\r\n\r\n" + KB * 40


async def test_a_file_that_is_too_large_is_refused_before_it_comes(start: Start) -> None:
    server = await start(max_upload=100_000)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    path = f"/api/chats/{chat_id}/files"
    async with leaving_nothing(server):
        refused = await refusal(begin(ada, chat_id, 100_001))
        assert (refused.status, refused.code) == (413, "too_large")
        async with asking(ada, "POST", path, Content_Type=FORM, Content_Length=200_000) as wire:
            answer = await wire.answer()
            assert (answer.status, answer.code) == (413, "too_large")


async def test_a_file_that_turns_out_to_be_too_large_is_refused(start: Start) -> None:
    server = await start(max_upload=100_000)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        refused = await refusal(send_form(ada, chat_id, "a.bin", KB * 100 + b"x"))
        assert (refused.status, refused.code) == (413, "too_large")
        assert refused.problem["message"] == "A file is at most 100,000 bytes large."
    assert (await send_form(ada, chat_id, "a.bin", KB * 100))["size"] == 100_000


async def test_bodies_larger_than_all_files_of_a_message_are_refused_at_the_door(
    start: Start,
) -> None:
    server = await start(max_upload=100_000, max_attachments=3)
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), 100_000)
    path = f"{upload['url']}?offset=0"
    async with asking(ada, "POST", path, **OCTETS, Content_Length=600_000) as wire:
        answer = await wire.answer()
        assert (answer.status, answer.code) == (413, "too_large")


async def test_of_one_person_few_files_of_unknown_size_come_in_at_once(start: Start) -> None:
    server = await start(no_limits=False)
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    path = f"/api/chats/{chat_id}/files"
    async with leaving_nothing(server), AsyncExitStack() as stack:
        asked = [
            asking(ada, "POST", path, Content_Type=FORM, Content_Length=200_000)
            for _ in range(WHOLE_AT_ONCE + 3)
        ]
        wires = [await stack.enter_async_context(one) for one in asked]
        await asyncio.gather(*(wire.write(BEGUN) for wire in wires))
        answers = [asyncio.create_task(wire.answer()) for wire in wires]
        refused = [
            await one for _, one in zip(range(3), asyncio.as_completed(answers), strict=False)
        ]
        assert {(one.status, one.code) for one in refused} == {(429, "rate_limited")}
        assert sum(not one.done() for one in answers) == WHOLE_AT_ONCE
        for one in answers:
            one.cancel()
        for wire in wires:
            wire.cut()
    assert (await send_form(bob, chat_id, "b.txt", b"of another"))["size"] == 10


async def test_a_quota_counts_thumbnails_too(start: Start) -> None:
    server = await start(quota_per_user=1_000_000)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    made = await in_pieces(ada, chat_id, "red.jpg", picture((2000, 1500)))
    left = 1_000_000 - made["size"]
    assert (await refusal(begin(ada, chat_id, left))).code == "quota_exceeded"
    await begin(ada, chat_id, left - 100_000)


async def test_a_page_of_who_was_logged_in_before_sends_nothing(server: Server) -> None:
    ada, bob = await server.users(2)
    path = f"/api/chats/{await ada.group()}/uploads?u={bob.user_id}"
    async with leaving_nothing(server):
        answer = await ada.request("POST", path, json={"name": "a.txt", "size": 5})
        assert (answer.status_code, answer.json()["code"]) == (401, "other_user")


async def test_a_message_takes_so_many_files(start: Start) -> None:
    server = await start(max_attachments=2)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    made = [await in_pieces(ada, chat_id, f"{n}.txt", b"%d" % n) for n in range(3)]
    refused = await refusal(sent(ada, chat_id, *made))
    assert (refused.status, refused.code) == (422, "invalid")
    assert refused.problem["field"] == "attachments"
    await sent(ada, chat_id, *made[:2])


async def test_a_message_without_files_and_text_is_still_refused(server: Server) -> None:
    (ada,) = await server.users(1)
    refused = await refusal(sent(ada, await ada.group()))
    assert (refused.code, refused.problem["field"]) == ("invalid", "content")


async def test_the_quota_of_a_user_counts_what_is_there_and_what_is_begun(start: Start) -> None:
    server = await start(quota_per_user=10_000)
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    made = await in_pieces(ada, chat_id, "a.bin", KB * 4)
    upload = await begin(ada, chat_id, 4000)
    async with leaving_nothing(server):
        for over in (begin(ada, chat_id, 2001), send_form(ada, chat_id, "a.bin", KB * 2 + b"x")):
            refused = await refusal(over)
            assert (refused.status, refused.code) == (413, "quota_exceeded")
    await send_form(ada, chat_id, "a.bin", KB * 2)
    await begin(bob, chat_id, 10_000)
    await ada.request("DELETE", upload["url"])
    await begin(ada, chat_id, 4000)
    assert (await refusal(begin(ada, chat_id, 1))).code == "quota_exceeded"
    said = await sent(ada, chat_id, made)
    await ada.api("DELETE", f"/messages/{said['message_id']}")
    await begin(ada, chat_id, 4000)


async def test_the_quota_of_all_counts_for_everybody(start: Start) -> None:
    server = await start(quota_total=10_000)
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    await in_pieces(ada, chat_id, "a.bin", KB * 9)
    for who in (ada, bob):
        assert (await refusal(begin(who, chat_id, 1001))).code == "quota_exceeded"
        refused = await refusal(send_form(who, chat_id, "a.bin", KB + b"x"))
        assert refused.code == "quota_exceeded"
    await send_form(bob, chat_id, "a.bin", KB)


async def test_a_finished_upload_counts_once(start: Start) -> None:
    server = await start(quota_per_user=10_000)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for _ in range(2):
        upload = await begin(ada, chat_id, 5000)
        await go_on(ada, upload, 0, KB * 5)
    assert (await refusal(begin(ada, chat_id, 1))).code == "quota_exceeded"


async def test_only_the_types_that_are_wanted_are_taken_whatever_their_names(
    start: Start,
) -> None:
    server = await start(upload_types=("image/*", "application/pdf"))
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for way in (send_form, in_pieces):
        async with leaving_nothing(server):
            refused = await refusal(way(ada, chat_id, "a.png", b"only words"))
            assert (refused.status, refused.code) == (415, "type_refused")
        assert (await way(ada, chat_id, "a.txt", picture()))["mime_type"] == "image/jpeg"
        assert await way(ada, chat_id, "a.txt", b"%PDF-1.7\n%%EOF\n")


async def test_who_sends_too_often_is_told_when_to_come_again(start: Start) -> None:
    server = await start(no_limits=False, uploads_per_minute=3)
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    wish: Any = {"name": "a.bin", "size": 5, "client_id": "one"}
    for _ in range(3):
        await begin(ada, chat_id, 5, client_id="one")
    await begin(ada, chat_id, 5)
    await send_form(ada, chat_id, "a.txt", b"Hello")
    for response in (
        await ada.request("POST", f"/api/chats/{chat_id}/uploads", json={**wish, "client_id": "2"}),
        await ada.request("POST", f"/api/chats/{chat_id}/files", files={"file": ("a", b"b")}),
    ):
        assert (response.status_code, response.json().get("code")) == (429, "rate_limited")
        assert 1 <= int(response.headers["Retry-After"]) <= 20
    await begin(bob, chat_id, 5)
    assert (await begin(ada, chat_id, 5, client_id="one"))["offset"] == 0


async def test_without_limits_nobody_sends_too_often(start: Start) -> None:
    server = await start(no_limits=True, uploads_per_minute=1)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for _ in range(20):
        await begin(ada, chat_id, 5)


async def test_sizes_that_are_none_are_invalid(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for size in (0, -1, "many", 1.5, None, True):
        refused = await refusal(begin(ada, chat_id, size))  # type: ignore[arg-type]
        assert (refused.status, refused.code) == (422, "invalid")
    for size in (10**18, 10**30):
        assert (await refusal(begin(ada, chat_id, size))).status in (413, 422)
