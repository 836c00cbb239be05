"""All files of a chat, for programs and as a page."""

from __future__ import annotations

import re

from support.server import Server

from files.sending import download, in_pieces, picture, send_form, sent
from quartchat.web.file_pages import IN_PAGE


async def test_the_gallery_has_pages_of_both_kinds(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    for number in range(3):
        words = await in_pieces(ada, chat_id, f"{number}.txt", b"%d" % number)
        await sent(ada, chat_id, words, await send_form(ada, chat_id, f"{number}.png", picture()))
    first = await bob.api("GET", f"/chats/{chat_id}/files?kind=media&limit=2")
    assert [one["name"] for one in first["files"]] == ["2.png", "1.png"]
    assert first["has_more"]
    one = first["files"][0]
    assert one["sender"] == {"user_id": ada.user_id, "name": ada.name}
    assert (
        str(one["event_id"])
        == one["message_id"]
        == str((await bob.history(chat_id))[-1]["message_id"])
    )
    rest = await bob.api("GET", f"/chats/{chat_id}/files?kind=media&before={first['before']}")
    assert [one["name"] for one in rest["files"]] == ["0.png"]
    assert not rest["has_more"]
    files = await bob.api("GET", f"/chats/{chat_id}/files?kind=files")
    assert [one["name"] for one in files["files"]] == ["2.txt", "1.txt", "0.txt"]
    response = await bob.request("GET", f"/api/chats/{chat_id}/files?kind=all")
    assert response.json()["field"] == "kind"


async def test_the_page_shows_pictures_or_the_rest_and_what_is_older(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    await sent(ada, chat_id, red := await send_form(ada, chat_id, "red.png", picture()))
    words = [await in_pieces(ada, chat_id, f"{n}.txt", b"%d" % n) for n in range(2)]
    for one in words:
        await sent(ada, chat_id, one)
    pictures = (await download(bob, f"/c/{chat_id}/files")).text
    assert red["thumbnail_url"] in pictures
    assert words[0]["url"] not in pictures
    rest = (await download(bob, f"/c/{chat_id}/files?kind=files")).text
    assert red["url"] not in rest
    assert all(one["url"] in rest for one in words)
    before = (await bob.history(chat_id))[-1]["message_id"]
    older = (await download(bob, f"/c/{chat_id}/files?kind=files&before={before}")).text
    assert [one["url"] in older for one in words] == [True, False]


async def test_a_long_gallery_leads_to_its_next_page(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    upload = [await in_pieces(ada, chat_id, f"{n}.txt", b"%d" % n) for n in range(IN_PAGE + 1)]
    for one in upload:
        await sent(ada, chat_id, one)
    first = (await download(ada, f"/c/{chat_id}/files?kind=files")).text
    (link,) = re.findall(r'href="(/c/[^"]+before=[^"]+)"', first)
    second = (await download(ada, link.replace("&amp;", "&"))).text
    assert [upload[0]["url"] in page for page in (first, second)] == [False, True]
    assert "before=" not in second


async def test_the_page_is_for_those_who_may_read_the_chat(server: Server) -> None:
    ada, eve = await server.users(2)
    private, public = await ada.group(), await ada.group(public=True)
    await sent(ada, public, made := await send_form(ada, public, "red.png", picture()))
    assert (await download(eve, f"/c/{private}/files")).status_code == 403
    assert (await download(eve, "/c/none/files")).status_code == 404
    assert made["thumbnail_url"] in (await download(eve, f"/c/{public}/files")).text
    nobody = await server.client.get(f"{server.url}/c/{public}/files")
    assert nobody.headers["Location"].startswith("/login?")
    assert (await download(ada, f"/c/{public}/files?before=x")).status_code == 400
