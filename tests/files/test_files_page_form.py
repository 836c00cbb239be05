"""Files from the form of a chat's page, as a browser without scripts sends it."""

from __future__ import annotations

import re
from typing import Any

import httpx
from support.server import Person, Server

from files.conftest import Start
from files.sending import leaving_nothing, picture, traces


async def post(who: Person, chat_id: str, *files: Any, **fields: Any) -> httpx.Response:
    """As a browser sends it: the files stand before the text."""
    parts = [("file", file) for file in files or [("", b"", "application/octet-stream")]]
    return await who.request("POST", f"/c/{chat_id}/messages", files=parts, data=fields)


async def last(who: Person, chat_id: str) -> Any:
    return (await who.history(chat_id))[-1]


async def test_text_and_several_files_are_one_message(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    files = [("a.txt", b"Hello"), ("b.jpg", picture())]
    response = await post(ada, chat_id, *files, content="two", client_id="one")
    assert response.status_code == 303
    message = await last(ada, chat_id)
    assert message["content"] == "two"
    assert [file["name"] for file in message["attachments"]] == ["a.txt", "b.jpg"]


async def test_a_form_that_is_sent_again_leaves_no_files_behind(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    form = {"content": "once", "client_id": "one"}
    await post(ada, chat_id, ("a.txt", b"Hello"), ("b.txt", b"World"), **form)
    async with leaving_nothing(server):
        response = await post(ada, chat_id, ("a.txt", b"Hello"), ("c.txt", b"other"), **form)
        assert response.status_code == 303
    assert [m["content"] for m in await ada.history(chat_id)] == ["once"]


async def test_files_need_no_text_and_text_needs_no_files(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    assert (await post(ada, chat_id, ("a.txt", b"Hello"), content="")).status_code == 303
    assert len((await last(ada, chat_id))["attachments"]) == 1
    assert (await post(ada, chat_id, content="only words")).status_code == 303
    assert (await last(ada, chat_id))["content"] == "only words"
    page = await post(ada, chat_id, content="")
    assert page.status_code >= 400
    assert "Write something" in page.text


async def test_a_refused_file_keeps_the_text_and_the_files_that_came(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    files = [("a.txt", b"Hello"), ("broken.jpg", picture()[:200]), ("b.txt", b"World")]
    page = await post(ada, chat_id, *files, content="typed by hand", client_id="one")
    assert page.status_code == 422
    assert "typed by hand" in page.text
    assert re.search(r'id="file-error">.*broken\.jpg.*: This picture is damaged', page.text)
    ids = ids_in(page.text)
    assert len(ids) == 2
    response = await post(ada, chat_id, content="typed by hand", attachments=ids, client_id="one")
    assert response.status_code == 303
    names = [file["name"] for file in (await last(ada, chat_id))["attachments"]]
    assert names == ["a.txt", "b.txt"]


def ids_in(page: str) -> list[str]:
    """Of the files that the form holds."""
    return [part.split('"')[2] for part in page.split('name="attachments"')[1:]] and [
        part.split('value="')[1].split('"')[0] for part in page.split('name="attachments"')[1:]
    ]


async def test_more_files_than_a_message_takes_keep_those_that_fit(start: Start) -> None:
    server = await start(max_attachments=2)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    page = await post(ada, chat_id, *[(f"{n}.txt", b"%d" % n) for n in range(3)], content="many")
    assert page.status_code == 422
    assert "A message takes at most 2 files." in page.text
    assert len(ids_in(page.text)) == 2
    assert "many" in page.text


async def test_a_file_too_large_is_told_on_the_page(start: Start) -> None:
    server = await start(max_upload=100_000)
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        page = await post(ada, chat_id, ("a.bin", bytes(150_000)), content="typed by hand")
        assert page.status_code == 413
        assert "A file is at most 100,000 bytes large." in page.text
        assert "typed by hand" in page.text


async def test_who_is_no_member_sends_no_file(server: Server) -> None:
    ada, eve = await server.users(2)
    chat_id = await ada.group()
    before = await traces(server)
    assert (await post(eve, chat_id, ("a.txt", b"Hello"), content="")).status_code == 403
    assert (await post(eve, "none", ("a.txt", b"Hello"), content="")).status_code == 404
    assert await traces(server) == before


async def test_the_files_of_others_do_not_get_into_the_form(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    page = await post(ada, chat_id, ("a.txt", b"Hello"), ("b.jpg", b"\xff\xd8\xff\xe0"), content="")
    (hers,) = ids_in(page.text)
    page = await post(bob, chat_id, content="mine", attachments=[hers])
    assert page.status_code == 404
    assert ids_in(page.text) == []
