"""One message as a page: what can be done with it by forms alone, and what is refused."""

from __future__ import annotations

import httpx
import pytest
from support.server import Person, Server
from web_support import Node, Visit, Visitor, page_of

Setting = tuple[Person, Person, Visitor, str]


@pytest.fixture
async def setting(server: Server, visit: Visit) -> Setting:
    """ada owns the chat; the visitor is bob."""
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, visit(bob), await ada.group(bob, title="Choir")


def address(chat_id: str, said: dict[str, str]) -> str:
    return f"/c/{chat_id}/messages/{said['message_id']}"


def place(chat_id: str, said: dict[str, str]) -> str:
    return f"/c/{chat_id}?focus={said['message_id']}#m{said['message_id']}"


async def done(visitor: Visitor, answer: httpx.Response, where: str) -> Node:
    """A form that succeeded leads to the message's place."""
    assert (answer.status_code, answer.headers["location"]) == (303, where)
    return await visitor.page(where.partition("#")[0])


async def test_a_message_leads_to_its_page_and_back(setting: Setting) -> None:
    ada, _, visitor, chat_id = setting
    said = await ada.say(chat_id, "who sings alto?")
    item = (await visitor.page(f"/c/{chat_id}")).by_id(f"m{said['message_id']}")
    assert item.one("a", class_="more").attrs["href"] == address(chat_id, said)
    page = await visitor.page(address(chat_id, said))
    assert page.messages() == ["who sings alto?"]
    assert place(chat_id, said) in [a.attrs["href"] for a in page.all("a")]


async def test_a_message_is_answered_from_its_page(setting: Setting) -> None:
    ada, _, visitor, chat_id = setting
    said = await ada.say(chat_id, "who sings alto?")
    page = await visitor.page(address(chat_id, said))
    answer = await visitor.submit(page.form(f"/c/{chat_id}/messages"), content="I do")
    page = await visitor.follow(answer)
    assert (
        page.all("li", class_="msg")[-1].one("p", class_="quote").text.endswith("who sings alto?")
    )


async def test_ones_own_message_is_changed(setting: Setting) -> None:
    ada, bob, visitor, chat_id = setting
    said = await bob.say(chat_id, "good evning\n&amp; welcome")
    form = (await visitor.page(address(chat_id, said))).form(f"{address(chat_id, said)}/edit")
    assert form.fields()["content"] == "good evning\n&amp; welcome"
    answer = await visitor.submit(form, content="good evening\r\nall")
    page = await done(visitor, answer, place(chat_id, said))
    item = page.by_id(f"m{said['message_id']}")
    assert item.one("time", class_="edited").text == "edited"
    assert (await ada.history(chat_id))[0]["content"] == "good evening\nall"


@pytest.mark.parametrize(
    ("typed", "status", "says"), [("", 422, "empty"), ("x" * 8001, 413, "8,000")]
)
async def test_a_change_that_is_refused_is_kept_as_typed(
    setting: Setting, typed: str, status: int, says: str
) -> None:
    ada, bob, visitor, chat_id = setting
    said = await bob.say(chat_id, "before")
    there = f"{address(chat_id, said)}/edit"
    page = page_of(await visitor.post(there, content=typed), status)
    assert says in page.form(there).error_at("content")
    assert page.form(there).fields()["content"] == typed
    assert (await ada.history(chat_id))[0]["content"] == "before"


async def test_what_others_said_one_can_neither_change_nor_delete_nor_pin(
    setting: Setting,
) -> None:
    ada, _, visitor, chat_id = setting
    said = await ada.say(chat_id, "mine")
    page = await visitor.page(address(chat_id, said))
    forms = {form.attrs["action"] for form in page.all("form")}
    assert not {f"{address(chat_id, said)}/{what}" for what in ("edit", "pin")} & forms
    assert f"{address(chat_id, said)}/delete" not in [a.attrs.get("href") for a in page.all("a")]
    for what in ("edit", "delete", "pin"):
        answer = await visitor.post(f"{address(chat_id, said)}/{what}", content="changed")
        assert answer.status_code == 403
    assert [m["content"] for m in await ada.history(chat_id)] == ["mine"]


async def test_a_message_is_deleted_after_a_question(setting: Setting) -> None:
    ada, bob, visitor, chat_id = setting
    said = await bob.say(chat_id, "wrong window")
    there = f"{address(chat_id, said)}/delete"
    (link,) = [
        a for a in (await visitor.page(address(chat_id, said))).all("a") if a.text == "Delete…"
    ]
    sure = await visitor.page(link.attrs["href"])
    assert "wrong window" in sure.text
    page = await done(visitor, await visitor.submit(sure.form(there)), place(chat_id, said))
    assert page.messages() == ["This message was deleted."]
    assert "wrong window" not in (await visitor.get(f"/c/{chat_id}")).text
    alone = await visitor.page(address(chat_id, said))
    assert [form.attrs["action"] for form in alone.all("form")] == []
    assert (await visitor.post(f"{address(chat_id, said)}/edit", content="x")).status_code == 409
    assert await ada.history(chat_id)


async def test_an_owner_deletes_what_others_said(setting: Setting, visit: Visit) -> None:
    ada, bob, _, chat_id = setting
    said = await bob.say(chat_id, "rude")
    owner = visit(ada)
    sure = await owner.page(f"{address(chat_id, said)}/delete")
    await owner.submit(sure.form(f"{address(chat_id, said)}/delete"))
    assert (await owner.page(f"/c/{chat_id}")).messages() == ["This message was deleted."]


async def test_a_quote_of_what_was_deleted_says_so(setting: Setting) -> None:
    ada, bob, visitor, chat_id = setting
    said = await bob.say(chat_id, "secret")
    await ada.say(chat_id, "what?", reply_to=said["message_id"])
    await visitor.post(f"{address(chat_id, said)}/delete")
    page = await visitor.page(f"/c/{chat_id}")
    assert page.one("p", class_="quote").text == "In reply to bob This message was deleted."


async def test_a_reaction_is_put_on_and_taken_back(setting: Setting) -> None:
    ada, bob, visitor, chat_id = setting
    said = await ada.say(chat_id, "cake?")
    await ada.api("POST", f"/messages/{said['message_id']}/reactions", emoji="🎂")
    for count, people in ((2, "ada, bob"), (1, "ada")):
        page = await visitor.page(address(chat_id, said))
        (button,) = [b for b in page.by_id("react").all("button") if b.attrs.get("value") == "🎂"]
        assert button.attrs["aria-pressed"] == ("false" if count == 2 else "true")
        fields = {button.attrs["name"]: "🎂"}
        answer = await visitor.post(f"{address(chat_id, said)}/react", **fields)
        page = await done(visitor, answer, place(chat_id, said))
        chip = page.by_id(f"m{said['message_id']}").one("a", class_="reaction")
        assert (chip.text, chip.attrs["title"]) == (f"🎂 {count}", people)
    assert "1: ada" in (await visitor.page(address(chat_id, said))).by_id("react").text
    assert bob.name not in chip.attrs["title"]


async def test_any_other_emoji_is_typed_and_what_is_none_is_refused(setting: Setting) -> None:
    ada, _, visitor, chat_id = setting
    said = await ada.say(chat_id, "cake?")
    there = f"{address(chat_id, said)}/react"
    page = page_of(await visitor.post(there, emoji="cake"), 422)
    form = page.all("form", action=there)[-1]
    assert "one emoji" in form.error_at("emoji")
    assert form.fields()["emoji"] == "cake"
    await done(visitor, await visitor.post(there, emoji=" 🧁 "), place(chat_id, said))
    page = await visitor.page(address(chat_id, said))
    (button,) = [b for b in page.by_id("react").all("button") if b.attrs.get("value") == "🧁"]
    assert button.attrs["aria-pressed"] == "true"


async def test_an_owner_pins_and_unpins(setting: Setting, visit: Visit) -> None:
    ada, bob, _, chat_id = setting
    said, owner = await bob.say(chat_id, "the key is under the stone"), visit(ada)
    for pinned in (1, 0):
        form = (await owner.page(address(chat_id, said))).form(f"{address(chat_id, said)}/pin")
        page = await done(owner, await owner.submit(form), place(chat_id, said))
        assert len(page.by_id("pins").all("a", class_="pin")) == pinned
        assert len(page.by_id(f"m{said['message_id']}").all("span", class_="pinned")) == pinned
    assert "ada pinned a message: the key is under the stone" in page.text


async def test_who_has_read_a_message_stands_on_its_page(setting: Setting, visit: Visit) -> None:
    ada, bob, visitor, chat_id = setting
    said = await bob.say(chat_id, "hello")
    assert "Nobody else" in (await visitor.page(address(chat_id, said))).by_id("readers").text
    await visit(ada).page(f"/c/{chat_id}")
    readers = (await visitor.page(address(chat_id, said))).by_id("readers")
    assert [a.text for a in readers.all("a")] == ["ada"]


async def test_a_message_is_found_only_in_its_own_chat_and_by_its_members(
    setting: Setting, server: Server, visit: Visit
) -> None:
    ada, bob, visitor, chat_id = setting
    said, other = await ada.say(chat_id, "inside"), await ada.group(bob)
    stranger = visit(await server.user())
    wrong = f"/c/{other}/messages/{said['message_id']}"
    for who, path in ((visitor, wrong), (stranger, address(chat_id, said))):
        assert (await who.get(path)).status_code == 404
        assert (await who.get(f"{path}/delete")).status_code == 404
        for what in ("edit", "delete", "react", "pin"):
            answer = await who.post(f"{path}/{what}", content="x", emoji="🎂")
            assert answer.status_code == 404
            assert "inside" not in answer.text
    assert (await visitor.get(f"/c/{chat_id}/messages/nothing")).status_code == 404


async def test_another_site_can_send_none_of_these_forms(setting: Setting) -> None:
    _, bob, visitor, chat_id = setting
    said = await bob.say(chat_id, "hello")
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for what in ("edit", "delete", "react", "pin"):
        path = f"{address(chat_id, said)}/{what}"
        answer = await visitor.http.post(path, data={"content": "x"}, headers=headers)
        assert answer.status_code == 403
    assert (await bob.history(chat_id))[0]["content"] == "hello"
