"""Files on their way in: by one form, and in pieces."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from support.server import Server

from files.sending import (
    begin,
    checked,
    download,
    go_on,
    in_pieces,
    leaving_nothing,
    offset_of,
    on_disk,
    picture,
    refusal,
    send_form,
    sent,
)
from quartchat.web.bodies import WINDOW

TEXT = b"Some words.\n" * 1000
BYTES = random.Random(5).randbytes(3 * 2**20)


async def test_a_picture_by_a_form_is_described_sent_and_read_by_the_others(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    reader = await bob.live()
    made = await send_form(ada, chat_id, "red.jpg", picture((400, 300)))
    assert (made["name"], made["mime_type"], made["kind"]) == ("red.jpg", "image/jpeg", "image")
    assert (made["width"], made["height"]) == (400, 300)
    await sent(ada, chat_id, made)
    event = await reader.one("new_message")
    assert event["data"]["content"] == ""
    assert event["data"]["attachments"] == [made]
    assert (await bob.history(chat_id))[-1]["attachments"] == [made]
    got = await download(bob, made["url"])
    assert got.status_code == 200
    assert got.headers["Content-Type"] == "image/jpeg"
    assert len(got.content) == made["size"]
    small = await download(bob, made["thumbnail_url"])
    assert small.headers["Content-Type"] == "image/webp"


async def test_a_file_in_pieces_is_an_attachment_with_the_last_one(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    upload = await begin(ada, chat_id, len(TEXT), "words.txt")
    assert (upload["offset"], upload["attachment"]) == (0, None)
    state = await go_on(ada, upload, 0, TEXT[:5000])
    assert (state["offset"], state["attachment"]) == (5000, None)
    state = await go_on(ada, upload, 5000, TEXT[5000:])
    assert state["offset"] == state["size"] == len(TEXT)
    assert state["attachment"]["mime_type"] == "text/plain"
    await sent(ada, chat_id, state["attachment"], content="here")
    assert (await download(ada, state["attachment"]["url"])).content == TEXT


@pytest.mark.parametrize("way", [send_form, in_pieces])
async def test_a_file_of_several_windows_arrives_byte_for_byte(server: Server, way: Any) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    made = await way(ada, chat_id, "noise.bin", BYTES)
    assert made["size"] == len(BYTES)
    assert (await download(ada, made["url"])).content == BYTES


@pytest.mark.parametrize("size", [WINDOW - 1, WINDOW, WINDOW + 1])
async def test_a_piece_of_about_the_window_is_taken_whole(server: Server, size: int) -> None:
    (ada,) = await server.users(1)
    made = await in_pieces(ada, await ada.group(), "noise.bin", BYTES[:size])
    assert made["size"] == size


async def test_a_piece_can_come_as_a_field_of_a_form(server: Server) -> None:
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), len(BYTES))
    middle = 2 * 2**20 + 17
    for start, data in ((0, BYTES[:middle]), (middle, BYTES[middle:])):
        files = {"chunk": ("chunk", data)}
        url = f"{upload['url']}?offset={start}"
        state = checked(await ada.request("POST", url, files=files))
        assert state["offset"] == start + len(data)
    assert (await download(ada, state["attachment"]["url"])).content == BYTES


async def test_a_form_without_a_chunk_or_with_two_is_refused(server: Server) -> None:
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), 10)
    url = f"{upload['url']}?offset=0"
    none = await ada.request("POST", url, data={"chunk": "text"}, files={"none": ("", b"")})
    assert none.json()["field"] == "chunk"
    two = await ada.request("POST", url, files=[("chunk", ("a", b"12")), ("chunk", ("b", b"34"))])
    assert two.json()["field"] == "chunk"
    assert await offset_of(ada, upload) == 2


async def test_an_upload_begins_by_text_that_holds_json_or_by_a_form(server: Server) -> None:
    (ada,) = await server.users(1)
    path, wish = f"/api/chats/{await ada.group()}/uploads", {"name": "a.txt", "size": 5}
    text = {"content": json.dumps(wish), "headers": {"Content-Type": "text/plain"}}
    for how in (text, {"data": wish}, {"files": {key: (None, str(wish[key])) for key in wish}}):
        response = await ada.request("POST", path, **how)
        assert response.status_code == 201
        assert (await go_on(ada, response.json(), 0, b"Hello"))["attachment"]["size"] == 5


async def test_the_same_client_id_is_the_same_upload(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    path = f"/api/chats/{chat_id}/uploads"
    wish = {"name": "a.txt", "size": 5, "client_id": "one"}
    first = await ada.request("POST", path, json=wish)
    await go_on(ada, first.json(), 0, b"Hel")
    again = await ada.request("POST", path, json=wish)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "offset": 3}
    made = (await go_on(ada, again.json(), 3, b"lo"))["attachment"]
    assert (await begin(ada, chat_id, 5, client_id="one"))["attachment"] == made
    assert (await refusal(begin(ada, chat_id, 6, client_id="one"))).code == "conflict"


async def test_without_a_client_id_each_upload_is_a_new_one(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    one, two = [await begin(ada, chat_id, 5) for _ in range(2)]
    assert one["upload_id"] != two["upload_id"]


async def test_two_people_may_use_the_same_client_id(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    one, two = [await begin(who, chat_id, 5, client_id="one") for who in (ada, bob)]
    assert one["upload_id"] != two["upload_id"]


async def test_an_upload_of_another_user_is_not_found(server: Server) -> None:
    ada, bob = await server.users(2)
    upload = await begin(ada, await ada.group(bob), 5)
    await go_on(ada, upload, 0, b"He")
    url = upload["url"]
    asked = [bob.request("GET", url), bob.request("DELETE", url), bob.request("HEAD", url)]
    assert [(await one).status_code for one in asked] == [404, 404, 404]
    assert (await refusal(go_on(bob, upload, 2, b"llo"))).code == "upload_not_found"
    assert (await go_on(ada, upload, 2, b"llo"))["attachment"]


async def test_an_upload_whose_attachment_was_dropped_begins_anew(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    upload = await begin(ada, chat_id, 5, client_id="one")
    made = (await go_on(ada, upload, 0, b"Hello"))["attachment"]
    await ada.api("DELETE", f"/attachments/{made['attachment_id']}")
    assert (await ada.request("GET", upload["url"])).status_code == 404
    again = await begin(ada, chat_id, 5, client_id="one")
    assert (again["offset"], again["attachment"]) == (0, None)
    assert (await go_on(ada, again, 0, b"Hello"))["attachment"]


async def test_an_upload_can_be_cancelled_before_amid_and_after_its_bytes(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        for come in (b"", b"He", b"Hello"):
            upload = await begin(ada, chat_id, 5)
            await go_on(ada, upload, 0, come)
            assert (await ada.request("DELETE", upload["url"])).status_code == 204
            assert (await ada.request("GET", upload["url"])).status_code == 404
            refused = await refusal(go_on(ada, upload, len(come), b"Hello"[len(come) :]))
            assert refused.code == "upload_not_found"
        await server.services.sweeper.sweep()


async def test_cancelling_leaves_alone_what_was_sent(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    upload = await begin(ada, chat_id, 5)
    made = (await go_on(ada, upload, 0, b"Hello"))["attachment"]
    await sent(ada, chat_id, made)
    assert (await ada.request("DELETE", upload["url"])).status_code == 204
    await server.services.sweeper.sweep()
    assert (await download(ada, made["url"])).content == b"Hello"


async def test_dropping_an_attachment_takes_it_from_the_disk(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    made = await send_form(ada, chat_id, "red.jpg", picture((900, 700)))
    assert on_disk(server)
    await ada.api("DELETE", f"/attachments/{made['attachment_id']}")
    assert (await download(ada, made["url"])).status_code == 404
    await server.services.sweeper.sweep()
    assert on_disk(server) == []
