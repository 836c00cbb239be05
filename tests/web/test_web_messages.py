"""Writing and reading messages by forms and links alone."""

from __future__ import annotations

import asyncio

import pytest
from support.server import Person, Server, ids
from web_support import Start, Visit, Visitor, page_of


@pytest.fixture
async def chat(server: Server, visit: Visit) -> tuple[Person, Visitor, str]:
    ada, bob = await server.user("ada"), await server.user("bob")
    chat_id = await ada.group(bob, title="Choir")
    return ada, visit(bob), chat_id


Chat = tuple[Person, Visitor, str]


async def test_a_message_is_sent_and_the_page_comes_by_get(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    answer = await visitor.send(chat_id, "good evening")
    assert answer.status_code == 303
    page = await visitor.follow(answer)
    assert page.messages() == ["good evening"]
    assert (await ada.history(chat_id))[-1]["sender"]["name"] == "bob"


async def test_a_form_sent_twice_is_one_message(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    form = (await visitor.page(f"/chats/{chat_id}")).form(f"/chats/{chat_id}/messages")
    assert form.fields()["client_id"]
    answers = await asyncio.gather(*(visitor.submit(form, content="once") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert [message["content"] for message in await ada.history(chat_id)] == ["once"]


async def test_each_page_has_a_new_client_id(chat: Chat) -> None:
    _, visitor, chat_id = chat
    seen = set()
    for _ in range(3):
        form = (await visitor.page(f"/chats/{chat_id}")).form(f"/chats/{chat_id}/messages")
        seen.add(form.fields()["client_id"])
    assert len(seen) == 3


@pytest.mark.parametrize("content", ["", " ", "\r\n \t"])
async def test_an_empty_message_is_refused_beside_its_field(chat: Chat, content: str) -> None:
    ada, visitor, chat_id = chat
    page = page_of(await visitor.send(chat_id, content), 422)
    assert "empty" in page.error_at("content")
    assert await ada.history(chat_id) == []


async def test_a_message_that_is_too_long_is_refused_and_kept_as_typed(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    typed = "long <b>text</b>\n" * 500
    page = page_of(await visitor.send(chat_id, typed), 413)
    assert "8,000" in page.error_at("content")
    form = page.form(f"/chats/{chat_id}/messages")
    assert form.fields()["content"] == typed
    assert (await visitor.submit(form, content="short")).status_code == 303
    assert [message["content"] for message in await ada.history(chat_id)] == ["short"]


async def test_the_longest_message_allowed_is_sent_in_any_script(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    assert (await visitor.send(chat_id, "𝄞" * 8000)).status_code == 303
    assert (await ada.history(chat_id))[0]["content"] == "𝄞" * 8000


async def test_line_breaks_of_a_form_are_single_ones(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    await visitor.send(chat_id, "one\r\ntwo")
    assert (await ada.history(chat_id))[0]["content"] == "one\ntwo"
    page = await visitor.page(f"/chats/{chat_id}")
    assert len(page.one("div", class_="body").all("br")) == 1


async def test_a_reply_quotes_what_it_answers_and_links_to_it(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    first = await ada.say(chat_id, "who sings alto?")
    page = await visitor.page(f"/chats/{chat_id}")
    link = page.by_id(f"m{first['message_id']}").one("a", class_="reply").attrs["href"]
    page = await visitor.page(link.partition("#")[0])
    assert page.by_id("replying").text.startswith("Replying to ada: who sings alto?")
    form = page.form(f"/chats/{chat_id}/messages")
    page = await visitor.follow(await visitor.submit(form, content="I do"))
    quote = page.all("li", class_="msg")[-1].one("p", class_="quote")
    assert quote.text == "In reply to ada who sings alto?"
    target = quote.one("a").attrs["href"]
    assert (await visitor.page(target.partition("#")[0])).by_id(f"m{first['message_id']}")
    assert not (await visitor.page(f"/chats/{chat_id}")).by_id("replying").text


async def test_a_refused_reply_still_knows_what_it_answers(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    first = await ada.say(chat_id, "who sings alto?")
    page = await visitor.page(f"/chats/{chat_id}?reply_to={first['message_id']}")
    form = page.form(f"/chats/{chat_id}/messages")
    page = page_of(await visitor.submit(form, content=""), 422)
    assert page.form(f"/chats/{chat_id}/messages").fields()["reply_to"] == first["message_id"]
    assert "who sings alto?" in page.by_id("replying").text


async def test_a_reply_to_nothing_is_a_plain_page(chat: Chat) -> None:
    _, visitor, chat_id = chat
    page = await visitor.page(f"/chats/{chat_id}?reply_to=nothing")
    assert not page.by_id("replying").text


async def test_links_lead_through_all_pages_and_back(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    sent = await ada.say_many(chat_id, 130)
    pages, address = [], f"/chats/{chat_id}"
    while address:
        page = await visitor.page(address)
        pages.append(page.shown_ids())
        older = [a.attrs["href"] for a in page.all("a") if a.text == "Older messages"]
        address = older[0] if older else ""
    assert [id_ for shown in reversed(pages) for id_ in shown] == sent
    back = []
    while True:
        back += page.shown_ids()
        newer = [a.attrs["href"] for a in page.all("a") if a.text == "Newer messages"]
        if not newer:
            break
        page = await visitor.page(newer[0])
    assert back == sent


async def test_only_the_newest_page_is_live_and_offers_the_frame(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    await ada.say_many(chat_id, 70)
    newest = await visitor.page(f"/chats/{chat_id}")
    assert newest.one("iframe").attrs["src"] == f"/chats/{chat_id}/live"
    assert "data-newest" in newest.by_id("main").attrs
    oldest = newest.shown_ids()[0]
    older = await visitor.page(f"/chats/{chat_id}?before={oldest}")
    assert not older.all("iframe")
    assert "data-newest" not in older.by_id("main").attrs


@pytest.mark.parametrize("transport", ["ws", "stream", "sse", "poll"])
async def test_nothing_falls_between_a_page_and_its_stream(
    start: Start, visit: Visit, transport: str
) -> None:
    """Messages keep coming while the page is read and while the stream opens."""
    server = await start()
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    visitor = visit(bob, at=server)
    sent: list[int] = []
    begun, enough = asyncio.Event(), asyncio.Event()

    async def talk() -> None:
        while not enough.is_set():
            sent.append((await ada.say(chat_id))["event_id"])
            if len(sent) > 10:
                begun.set()

    talking = asyncio.create_task(talk())
    await begun.wait()
    page = await visitor.page(f"/chats/{chat_id}")
    reader = bob.connect(transport, cursor=int(page.by_id("main").attrs["data-cursor"]))
    shown = page.shown_ids()
    came = await reader.until(lambda event: event.get("id", 0) > sent[-1] - 1 and len(sent) > 40)
    enough.set()
    await talking
    came += await reader.until_id(sent[-1]) if ids(came)[-1] != sent[-1] else []
    assert shown + [i for i in ids(came) if i in sent] == sent


async def test_the_list_of_chats_carries_the_cursor_of_its_own_read(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    cursor = int((await visit(bob).page("/chats")).by_id("main").attrs["data-cursor"])
    assert cursor == await server.head()
    missed = await ada.say(chat_id)
    reader = bob.connect("sse", cursor=cursor)
    assert ids(await reader.until("caught_up")) == [missed["event_id"]]


async def test_who_came_and_went_stands_on_the_page_where_it_happened(
    start: Start, visit: Visit
) -> None:
    server = await start()
    ada, bob, cyd = await server.users(3)
    chat_id = await ada.group(bob)
    await ada.say(chat_id, "before")
    await ada.api("POST", f"/chats/{chat_id}/members", user_id=cyd.user_id)
    await ada.say(chat_id, "between")
    await cyd.api("DELETE", f"/chats/{chat_id}/members/me")
    page = await visit(bob, at=server).page(f"/chats/{chat_id}")
    lines = [n.text for n in page.all("li") if "data-event-id" in n.attrs]
    wanted = ["started this chat", "before", "was added", "between", "left"]
    assert len(lines) == len(wanted)
    assert all(part in line for part, line in zip(wanted, lines, strict=True))
