"""Writing and reading messages by forms and links alone."""

from __future__ import annotations

import asyncio

import pytest
from support.server import Person, Server, ids
from web_support import Node, Start, Visit, Visitor, page_of


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
    form = (await visitor.page(f"/c/{chat_id}")).form(f"/c/{chat_id}/messages")
    assert form.fields()["client_id"]
    answers = await asyncio.gather(*(visitor.submit(form, content="once") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert [message["content"] for message in await ada.history(chat_id)] == ["once"]


async def test_each_page_has_a_new_client_id(chat: Chat) -> None:
    _, visitor, chat_id = chat
    seen = set()
    for _ in range(3):
        form = (await visitor.page(f"/c/{chat_id}")).form(f"/c/{chat_id}/messages")
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
    form = page.form(f"/c/{chat_id}/messages")
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
    page = await visitor.page(f"/c/{chat_id}")
    assert len(page.one("div", class_="body").all("br")) == 1


async def test_a_reply_quotes_what_it_answers_and_links_to_it(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    first = await ada.say(chat_id, "who sings alto?")
    page = await visitor.page(f"/c/{chat_id}")
    link = page.by_id(f"m{first['message_id']}").one("a", class_="reply").attrs["href"]
    page = await visitor.page(link.partition("#")[0])
    assert page.by_id("replying").text.startswith("Replying to ada: who sings alto?")
    form = page.form(f"/c/{chat_id}/messages")
    page = await visitor.follow(await visitor.submit(form, content="I do"))
    quote = page.all("li", class_="msg")[-1].one("p", class_="quote")
    assert quote.text == "In reply to ada who sings alto?"
    target = quote.one("a").attrs["href"]
    assert (await visitor.page(target.partition("#")[0])).by_id(f"m{first['message_id']}")
    assert not (await visitor.page(f"/c/{chat_id}")).by_id("replying").text


async def test_a_refused_reply_still_knows_what_it_answers(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    first = await ada.say(chat_id, "who sings alto?")
    page = await visitor.page(f"/c/{chat_id}?reply_to={first['message_id']}")
    form = page.form(f"/c/{chat_id}/messages")
    page = page_of(await visitor.submit(form, content=""), 422)
    assert page.form(f"/c/{chat_id}/messages").fields()["reply_to"] == first["message_id"]
    assert "who sings alto?" in page.by_id("replying").text


async def test_a_reply_to_nothing_is_a_plain_page(chat: Chat) -> None:
    _, visitor, chat_id = chat
    page = await visitor.page(f"/c/{chat_id}?reply_to=nothing")
    assert not page.by_id("replying").text


async def test_links_lead_through_all_pages_and_back(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    sent = await ada.say_many(chat_id, 130)
    pages, address = [], f"/c/{chat_id}"
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
    newest = await visitor.page(f"/c/{chat_id}")
    assert newest.one("iframe").attrs["src"].startswith(f"/c/{chat_id}/now?r=")
    assert "data-newest" in newest.by_id("main").attrs
    oldest = newest.shown_ids()[0]
    older = await visitor.page(f"/c/{chat_id}?before={oldest}")
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
    page = await visitor.page(f"/c/{chat_id}")
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
    cursor = int((await visit(bob).page("/c")).by_id("main").attrs["data-cursor"])
    assert cursor == await server.head()
    missed = await ada.say(chat_id)
    reader = bob.connect("sse", cursor=cursor)
    assert ids(await reader.until("caught_up"))[0] == missed["event_id"]


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
    page = await visit(bob, at=server).page(f"/c/{chat_id}")
    lines = [n.text for n in page.all("li") if "data-event-id" in n.attrs]
    wanted = ["started this chat", "before", "was added", "between", "left"]
    assert len(lines) == len(wanted)
    assert all(part in line for part, line in zip(wanted, lines, strict=True))


LATE = 1_795_219_199.0  # a second before midnight between two days, UTC


def lines(page: Node) -> list[Node]:
    return page.all("ol", class_="timeline")[0].all("li")


def days(page: Node) -> list[str]:
    return [node.text for node in page.all("li", class_="day")]


async def test_a_line_says_where_a_new_day_begins(start: Start, visit: Visit) -> None:
    server = await start()
    server.clock.stop(LATE)
    ada = await server.user("ada")
    chat_id = await ada.group()
    await ada.say(chat_id, "late")
    server.clock.move(1)
    await ada.say(chat_id, "early")
    page = await visit(ada, at=server).page(f"/c/{chat_id}")
    assert days(page) == ["Friday, 20 November 2026", "Saturday, 21 November 2026"]


async def test_the_first_unread_message_has_a_line_before_it(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    await ada.say(chat_id, "old")
    await visitor.page(f"/c/{chat_id}")
    await ada.say(chat_id, "new")
    await ada.say(chat_id, "newer")
    page = await visitor.page(f"/c/{chat_id}")
    kinds = [line.attrs.get("id") or line.text for line in lines(page)]
    at = kinds.index("unread")
    assert page.by_id(kinds[at + 1]).one("div", class_="body").text == "new"
    assert "2 unread messages: go to the first" in page.text
    again = await visitor.page(f"/c/{chat_id}")
    assert not [n for n in again.all("li") if n.attrs.get("id") == "unread"]


async def test_the_first_of_many_unread_messages_is_one_link_away(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    await ada.say(chat_id, "old")
    await visitor.page(f"/c/{chat_id}")
    sent = await ada.say_many(chat_id, 100)
    page = await visitor.page(f"/c/{chat_id}")
    (link,) = [a for a in page.all("a") if a.text == "100 unread messages: go to the first"]
    assert not [n for n in page.all("li") if n.attrs.get("id") == "unread"]
    page = await visitor.page(link.attrs["href"].partition("#")[0])
    assert page.shown_ids() == sent[:60]
    assert page.by_id("unread")
    assert not page.all("iframe")
    await visitor.page(link.attrs["href"].partition("#")[0])


async def test_the_stream_begins_with_the_same_line(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    await ada.say(chat_id, "old")
    await visitor.page(f"/c/{chat_id}")
    await ada.say(chat_id, "new")
    frame = (await visitor.page(f"/c/{chat_id}")).one("iframe").attrs["src"]
    async with visitor.http.stream("GET", frame.partition("#")[0]) as response:
        text = ""
        async for piece in response.aiter_text():
            text += piece
            if "new</div>" in text:
                break
    assert text.index("old</div>") < text.index('id="unread"') < text.index("new</div>")


async def test_a_link_to_a_message_shows_what_was_said_before_and_after_it(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    sent = await ada.say_many(chat_id, 150)
    page = await visitor.page(f"/c/{chat_id}?focus={sent[70]}")
    assert page.shown_ids() == sent[41:101]
    link = page.by_id(f"m{sent[70]}").one("a", class_="at").attrs["href"]
    assert link == f"/c/{chat_id}?focus={sent[70]}#m{sent[70]}"
    links = {a.text: a.attrs["href"] for a in page.all("a")}
    assert links["To the newest"] == f"/c/{chat_id}"
    older = await visitor.page(links["Older messages"])
    assert older.shown_ids() == sent[:41]
    newer = await visitor.page(links["Newer messages"])
    assert newer.shown_ids() == sent[101:]


async def test_a_link_to_a_message_that_is_not_there_is_a_plain_page(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    sent = await ada.say(chat_id, "hello")
    for focus in ("9007199254740991", "nothing", "0"):
        page = await visitor.page(f"/c/{chat_id}?focus={focus}")
        assert page.shown_ids() == [sent["event_id"]]


async def test_one_goes_to_a_day_by_its_date(start: Start, visit: Visit) -> None:
    server = await start()
    server.clock.stop(LATE)
    ada = await server.user("ada")
    chat_id = await ada.group()
    for day in range(3):
        await ada.say(chat_id, f"day {day}")
        server.clock.move(86_400)
        ada = await server.log_in_again(ada)
    visitor = visit(ada, at=server)
    page = await visitor.page(f"/c/{chat_id}")
    (form,) = [f for f in page.all("form") if f.attrs.get("class") == "to-day"]
    second = page.all("li", class_="day")[1].one("time").attrs["datetime"]
    page = await visitor.page(f"{form.attrs['action']}?date={second}")
    assert page.messages() == ["day 1", "day 2"]
    assert [a.text for a in page.all("a") if a.text == "Older messages"]
    page = await visitor.page(f"{form.attrs['action']}?date=2030-01-01")
    assert "Nothing was said on Tuesday, 1 January 2030 or later." in page.text
    assert page.messages()[-1] == "day 2"
    assert "That is no day." in (await visitor.page(f"/c/{chat_id}?date=soon")).text


async def test_scripts_get_a_part_of_the_history_alone(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    sent = await ada.say_many(chat_id, 70)
    part = await visitor.page(f"/c/{chat_id}/timeline?before={sent[65]}")
    assert part.shown_ids() == sent[5:65]
    assert part.one("ol").attrs["data-upto"] == str(await ada.server.head())
    assert not part.all("html")
    assert [a.text for a in part.all("a") if a.text.endswith(" messages")] == [
        "Older messages",
        "Newer messages",
    ]


async def test_who_has_seen_ones_newest_message_stands_below_it(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    await visitor.send(chat_id, "first")
    await visitor.send(chat_id, "second")
    assert not (await visitor.page(f"/c/{chat_id}")).all("li", class_="seen")
    await ada.api("POST", f"/chats/{chat_id}/read")
    *_, said, seen = lines(await visitor.page(f"/c/{chat_id}"))
    assert said.one("div", class_="body").text == "second"
    assert seen.text == "Seen by ada"


async def test_pinned_messages_stand_above_the_others(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    for text in ("the key", "the *stone*"):
        said = await ada.say(chat_id, text)
        await ada.api("POST", f"/messages/{said['message_id']}/pin")
    pins = (await visitor.page(f"/c/{chat_id}")).by_id("pins")
    newest, every = pins.all("a")
    assert newest.text == "Pinned: ada the stone"
    assert f"focus={said['message_id']}" in newest.attrs["href"]
    assert (every.text, every.attrs["href"]) == ("2 pinned", f"/c/{chat_id}/about#pins")
    assert "the key" in (await visitor.page(every.attrs["href"].partition("#")[0])).text


async def test_what_is_said_in_markdown_is_shown_so(chat: Chat) -> None:
    ada, visitor, chat_id = chat
    await ada.say(chat_id, "a **strong** word\n```\n<b>code</b>\n```")
    body = (await visitor.page(f"/c/{chat_id}")).one("div", class_="body")
    assert body.one("strong").text == "strong"
    assert body.one("pre").text == "<b>code</b>"


async def test_a_page_of_a_room_costs_as_much_as_it_shows(start: Start, visit: Visit) -> None:
    """However much was said before."""
    server = await start()
    ada = await server.user("ada")
    chat_id = await ada.group()
    await ada.say_many(chat_id, 70)
    visitor, counts = visit(ada, at=server), []
    for _ in range(2):
        page = await visitor.page(f"/c/{chat_id}")
        counts.append(len(page.all("li", class_="msg")))
        await ada.say_many(chat_id, 70)
    assert counts == [60, 60]
