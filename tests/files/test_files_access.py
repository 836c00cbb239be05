"""Who may have a file, and from when on no longer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from support.server import Person, Server

from files.sending import begin, download, go_on, picture, refusal, send_form, sent


async def statuses(who: Person, made: Any) -> set[int]:
    """Of all three forms of a picture."""
    urls = (made["url"], made["thumbnail_url"], made["url"] + "?download=1")
    return {(await download(who, url)).status_code for url in urls}


async def a_picture(who: Person, chat_id: str) -> Any:
    return await send_form(who, chat_id, "red.png", picture((500, 400), "PNG"))


async def test_only_the_uploader_has_it_until_it_is_sent_and_the_members_then(
    server: Server,
) -> None:
    ada, bob, eve = await server.users(3)
    chat_id = await ada.group(bob)
    made = await a_picture(ada, chat_id)
    assert [await statuses(who, made) for who in (ada, bob, eve)] == [{200}, {404}, {404}]
    await sent(ada, chat_id, made)
    assert [await statuses(who, made) for who in (ada, bob, eve)] == [{200}, {200}, {404}]


async def test_others_learn_nothing_of_it(server: Server) -> None:
    ada, eve = await server.users(2)
    made = await a_picture(ada, await ada.group())
    there = await download(eve, made["url"])
    nowhere = await download(eve, "/files/none")
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert made["name"] not in there.text


async def test_who_is_removed_from_the_chat_has_it_no_longer(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    await sent(ada, chat_id, made := await a_picture(ada, chat_id))
    reader = await bob.live()
    assert await statuses(bob, made) == {200}
    await ada.remove(chat_id, bob)
    assert await statuses(bob, made) == {404}
    await sent(ada, chat_id, later := await a_picture(ada, chat_id))
    await ada.say(await ada.direct(bob), "the end")
    seen = await reader.until(lambda event: event["data"].get("content") == "the end")
    assert later["attachment_id"] not in str(seen)
    assert (await bob.request("GET", f"/api/chats/{chat_id}/files")).status_code == 403


async def test_who_is_removed_sends_no_more_files(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    upload = await begin(bob, chat_id, 5)
    await go_on(bob, upload, 0, b"Hel")
    made = await a_picture(bob, chat_id)
    await ada.remove(chat_id, bob)
    assert (await refusal(go_on(bob, upload, 3, b"lo"))).code == "not_a_member"
    assert (await refusal(go_on(bob, upload, 3, b"lo"))).code == "upload_not_found"
    assert (await refusal(a_picture(bob, chat_id))).code == "not_a_member"
    assert (await refusal(begin(bob, chat_id, 5))).code == "not_a_member"
    assert (await refusal(sent(bob, chat_id, made))).code == "not_a_member"


async def test_a_file_of_a_deleted_message_is_gone_for_all(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    said = await sent(ada, chat_id, made := await a_picture(ada, chat_id))
    await ada.api("DELETE", f"/messages/{said['message_id']}")
    assert [await statuses(who, made) for who in (ada, bob)] == [{404}, {404}]
    assert (await ada.api("GET", f"/chats/{chat_id}/files"))["files"] == []
    assert (await bob.history(chat_id))[-1]["attachments"] == []
    assert made["attachment_id"] not in str(await bob.may_see())


async def test_files_of_a_removed_account_are_gone(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    await sent(bob, chat_id, made := await a_picture(bob, chat_id))
    unsent = await a_picture(bob, chat_id)
    upload = await begin(bob, chat_id, 5)
    await server.services.accounts.remove(bob.user_id, by=None)
    assert await statuses(ada, made) == {404}
    assert (await ada.history(chat_id))[-1]["attachments"] == []
    assert made["attachment_id"] not in str(await ada.may_see())
    for url in (made["url"], unsent["url"]):
        assert (await download(bob, url)).status_code == 303
    assert (await bob.request("GET", upload["url"])).status_code == 401


async def test_newcomers_get_no_files_of_before_where_history_begins_with_joining(
    server: Server,
) -> None:
    ada, bob = await server.users(2)
    chats = {}
    for history in ("all", "joined"):
        made = await ada.api("POST", "/chats", kind="group", title=history, history=history)
        chats[history] = made["chat_id"]
    old = {name: await a_picture(ada, chat_id) for name, chat_id in chats.items()}
    for name, chat_id in chats.items():
        await sent(ada, chat_id, old[name])
        await ada.add(chat_id, bob)
        await sent(ada, chat_id, new := await a_picture(ada, chat_id))
        assert await statuses(bob, new) == {200}
        listed = (await bob.api("GET", f"/chats/{chat_id}/files"))["files"]
        assert len(listed) == (2 if name == "all" else 1)
    assert [await statuses(bob, old[name]) for name in chats] == [{200}, {404}]


async def test_a_public_room_shows_its_files_to_who_may_look_at_it(server: Server) -> None:
    ada, bob, eve = await server.users(3)
    chat_id = await ada.group(public=True)
    await sent(ada, chat_id, made := await a_picture(ada, chat_id))
    unsent = await a_picture(ada, chat_id)
    assert await statuses(bob, made) == {200}
    assert await statuses(bob, unsent) == {404}
    await ada.api("POST", f"/chats/{chat_id}/bans", user_id=eve.user_id)
    assert await statuses(eve, made) == {404}
    await ada.api("PATCH", f"/chats/{chat_id}", public=False)
    assert await statuses(bob, made) == {404}


async def test_only_own_unsent_files_of_this_chat_can_be_sent(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id, other = await ada.group(bob), await ada.group(bob)
    made = await a_picture(ada, chat_id)
    bobs, of_other = await a_picture(bob, chat_id), await a_picture(ada, other)
    await sent(ada, chat_id, made)
    for wrong in (made, bobs, of_other, {"attachment_id": "none"}, {"attachment_id": ""}):
        refused = await refusal(sent(ada, chat_id, wrong, content="text"))
        assert (refused.status, refused.code) == (404, "attachment_not_found")
    good = await a_picture(ada, chat_id)
    assert (await refusal(sent(ada, chat_id, good, of_other))).code == "attachment_not_found"
    await sent(ada, chat_id, good, good)
    assert [a["name"] for a in (await bob.history(chat_id))[-1]["attachments"]] == ["red.png"]


async def test_only_own_unsent_files_can_be_dropped(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    made, unsent = [await a_picture(ada, chat_id) for _ in range(2)]
    await sent(ada, chat_id, made)
    for who, one in ((ada, made), (bob, unsent), (bob, made)):
        refused = await refusal(who.api("DELETE", f"/attachments/{one['attachment_id']}"))
        assert refused.code == "attachment_not_found"
    assert await statuses(bob, made) == {200}


async def test_a_message_sent_again_after_a_lost_answer_has_its_files_once(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    made = await a_picture(ada, chat_id)
    first = await sent(ada, chat_id, made, client_id="one")
    again = await sent(ada, chat_id, made, client_id="one")
    assert first["message_id"] == again["message_id"]
    assert len((await bob.history(chat_id))[-1]["attachments"]) == 1


@pytest.mark.parametrize("way", ["cookie", "bearer"])
async def test_a_cookie_and_a_token_open_it(server: Server, way: str) -> None:
    (ada,) = await server.users(1)
    made = await a_picture(ada, await ada.group())
    headers = {
        "cookie": {"Cookie": f"qc_session={ada.token}"},
        "bearer": {"Authorization": f"Bearer {ada.token}"},
    }[way]
    response = await server.client.get(f"{server.url}{made['url']}", headers=headers)
    assert response.status_code == 200


async def test_who_is_not_logged_in_gets_nothing(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    made = await a_picture(ada, chat_id)
    upload = await begin(ada, chat_id, 5)

    async def status(method: str, path: str, **more: Any) -> int:
        return (await server.client.request(method, f"{server.url}{path}", **more)).status_code

    assert await status("GET", made["url"]) == 303
    for method, path in (
        ("POST", f"/api/chats/{chat_id}/files"),
        ("POST", f"/api/chats/{chat_id}/uploads"),
        ("GET", f"/api/chats/{chat_id}/files"),
        ("GET", upload["url"]),
        ("POST", upload["url"] + "?offset=0"),
        ("PATCH", upload["url"]),
        ("DELETE", upload["url"]),
        ("DELETE", f"/api/attachments/{made['attachment_id']}"),
    ):
        assert await status(method, path) == 401


async def test_another_site_uploads_nothing_with_the_cookies_of_a_user(server: Server) -> None:
    (ada,) = await server.users(1)
    headers = {"Cookie": f"qc_session={ada.token}", "Origin": "https://evil.example"}
    url = f"{server.url}/api/chats/{await ada.group()}/files"
    response: httpx.Response = await server.client.post(
        url, headers=headers, files={"file": ("a", b"x")}
    )
    assert response.json()["code"] == "cross_origin"
