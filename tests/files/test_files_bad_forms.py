"""Forms that were not made by a browser, and bodies that come as slowly as may be."""

from __future__ import annotations

import pytest
from support.server import Server

from files.conftest import Start
from files.sending import OCTETS, begin, go_on, leaving_nothing, offset_of, on_disk
from files.wire import BOUNDARY, END, FORM, Answer, asking, part
from quartchat.server.limits import Limits

FILE = part("file", b"Hello", "a.txt")
PLAIN = "multipart/form-data"


async def answered(server: Server, body: bytes, kind: str = FORM, length: int = 0) -> Answer:
    """The answer to a form with a file; nothing may be left of it."""
    (ada,) = await server.users(1)
    path = f"/api/chats/{await ada.group()}/files"
    more = {"Content_Type": kind, "Content_Length": length or len(body)}
    async with leaving_nothing(server), asking(ada, "POST", path, **more) as wire:
        await wire.write(body)
        return await wire.answer()


FORMS = {
    "no boundary": (FILE + END, PLAIN, 400),
    "an empty boundary": (FILE + END, f"{PLAIN}; boundary=", 400),
    "another boundary": (FILE + END, f"{PLAIN}; boundary=other", 400),
    "another boundary of much": (
        part("file", bytes(200_000), "a") + END,
        f"{PLAIN}; boundary=x",
        400,
    ),
    "a boundary in Greek": (FILE + END, f"{PLAIN}; boundary=αβγ", 400),
    "no form": (b'{"file": "a"}', "application/json", 400),
    "octets": (b"Hello", "application/octet-stream", 400),
    "no parts": (END, FORM, 422),
    "no end": (FILE, FORM, 400),
    "no headers": (f"--{BOUNDARY}\r\n\r\nHello\r\n".encode() + END, FORM, 400),
    "no end of the headers": (f"--{BOUNDARY}\r\nA: {'b' * 10**5}".encode(), FORM, 400),
    "headers that are no text": (
        f"--{BOUNDARY}\r\n".encode() + b"\xff\xfe: \xff\r\n\r\n",
        FORM,
        400,
    ),
    "no file but a field": (part("file", b"Hello") + END, FORM, 422),
    "an empty field for files": (part("file", b"", "") + END, FORM, 422),
    "two files": (FILE + FILE + END, FORM, 422),
    "a thousand fields": (
        b"".join(part(f"f{n}", b"1") for n in range(1000)) + FILE + END,
        FORM,
        413,
    ),
    "a field too long": (part("text", bytes(10**6)) + FILE + END, FORM, 413),
    "much behind the end": (part("none", b"") + END + bytes(200_000), FORM, 400),
}


@pytest.mark.parametrize(("body", "kind", "status"), FORMS.values(), ids=FORMS)
async def test_a_form_that_is_wrong_is_refused(
    server: Server, body: bytes, kind: str, status: int
) -> None:
    answer = await answered(server, body, kind)
    assert answer.status == status
    assert answer.code == {400: "bad_request", 413: "too_large", 422: "invalid"}[status]


async def test_a_form_that_is_longer_than_it_says_is_refused(server: Server) -> None:
    answer = await answered(server, FILE + END, length=len(FILE))
    assert (answer.status, answer.code) == (400, "bad_request")


@pytest.mark.parametrize("break_", ["\n", "\r\n"])
async def test_other_line_breaks_and_fields_around_are_fine(server: Server, break_: str) -> None:
    (ada,) = await server.users(1)
    path = f"/api/chats/{await ada.group()}/files"
    body = part("one", b"1") + FILE + part("two", b"2") + END
    body = b"a preamble\r\n" + body + b"an epilogue"
    body = body.replace(b"\r\n", break_.encode())
    async with asking(ada, "POST", path, Content_Type=FORM, Content_Length=len(body)) as wire:
        await wire.write(body)
        answer = await wire.answer()
    assert answer.status == 201
    assert b'"size":5' in answer.body


async def test_a_file_whose_bytes_look_like_boundaries_arrives_whole(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    data = (b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n--\r\n\r") * 20_000
    body = part("file", data, "a.bin") + END
    path = f"/api/chats/{chat_id}/files"
    async with asking(ada, "POST", path, Content_Type=FORM, Content_Length=len(body)) as wire:
        await wire.write(body)
        answer = await wire.answer()
    assert answer.status == 201
    (stored,) = on_disk(server)
    assert stored.read_bytes() == data


async def test_a_form_that_drips_is_ended_and_others_are_served_meanwhile(start: Start) -> None:
    server = await start(limits=Limits(upload_seconds=0.7))
    ada, bob = await server.users(2)
    path = f"/api/chats/{await ada.group()}/files"
    async with (
        leaving_nothing(server),
        asking(ada, "POST", path, Content_Type=FORM, Content_Length=10**6) as wire,
    ):
        await wire.write(FILE[:-2])
        await bob.say(await bob.group())
        answer = await wire.answer()
        assert (answer.status, answer.code) == (408, "request_timeout")


async def test_a_piece_that_drips_is_ended_and_its_bytes_stay(start: Start) -> None:
    server = await start(limits=Limits(upload_seconds=0.7))
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), 10)
    path = f"{upload['url']}?offset=0"
    async with asking(ada, "POST", path, **OCTETS, Content_Length=10) as wire:
        await wire.write(b"Hel")
        answer = await wire.answer()
        assert (answer.status, answer.code) == (408, "request_timeout")
    assert await offset_of(ada, upload) == 3
    assert (await go_on(ada, upload, 3, b"lo, all"))["attachment"]
