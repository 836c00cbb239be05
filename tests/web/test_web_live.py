"""Pages that go on by themselves: streamed HTML, and fragments over SSE."""

from __future__ import annotations

import asyncio
import json

import httpx
import httpx_sse
import pytest
from support.readers import PATIENCE
from support.server import Person, Server
from web_support import Node, Visit, Visitor, parse


class Stream:
    """A response that stays open, read piece by piece."""

    def __init__(self, response: httpx.Response) -> None:
        self.response, self.text, self._pieces = response, "", response.aiter_text()

    async def until(self, wanted: str) -> str:
        async with asyncio.timeout(PATIENCE):
            while wanted not in self.text:
                self.text += await anext(self._pieces)
        return self.text

    async def end(self) -> str:
        async with asyncio.timeout(PATIENCE):
            async for piece in self._pieces:
                self.text += piece
        return self.text

    @property
    def page(self) -> Node:
        return parse(self.text)


def live(visitor: Visitor, chat_id: str, query: str = "") -> object:
    return visitor.http.stream("GET", f"/chats/{chat_id}/live{query}", timeout=PATIENCE)


@pytest.fixture
async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


Pair = tuple[Person, Person, str]


async def test_a_streamed_page_shows_history_then_what_comes(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    await ada.say(chat_id, "before")
    async with live(visit(bob), chat_id) as response:
        stream = Stream(response)
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["x-accel-buffering"] == "no"
        assert response.headers["cache-control"] == "no-store, no-transform"
        await stream.until("before")
        await ada.say(chat_id, "<b>now</b>")
        await stream.until("&lt;b&gt;now&lt;/b&gt;")
        assert stream.page.messages() == ["before", "<b>now</b>"]


async def test_a_streamed_page_carries_the_same_fragments_as_the_chat_page(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    visitor = visit(bob)
    async with live(visitor, chat_id) as response:
        stream = Stream(response)
        first = await ada.say(chat_id, "one @bob https://example.org/")
        await ada.say(chat_id, "two", reply_to=first["message_id"])
        await stream.until("two</div>")
        await stream.until("</li>")
    whole = (await visitor.get(f"/c/{chat_id}")).text
    for line in stream.text.splitlines():
        if line.startswith("<li"):
            assert line in whole


async def test_a_streamed_page_shows_one_chat_and_who_comes_and_goes(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    eve = await server.user("eve")
    other = await ada.group(bob)
    async with live(visit(bob), chat_id) as response:
        stream = Stream(response)
        await stream.until("<ol")
        await ada.say(other, "elsewhere")
        await ada.add(chat_id, eve)
        await stream.until("was added")
        await ada.remove(chat_id, eve)
        await stream.until("was removed")
    assert "elsewhere" not in stream.text


async def test_a_streamed_page_goes_on_from_a_cursor(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    sent = await ada.say_many(chat_id, 3)
    async with live(visit(bob), chat_id, f"?last_event_id={sent[0]}") as response:
        stream = Stream(response)
        await stream.until(str(sent[2]))
        await stream.until("</li>")
    assert stream.page.shown_ids()[:2] == sent[1:]


async def test_a_streamed_page_ends_with_a_reload_when_the_server_drains(
    server: Server, visit: Visit, pair: Pair
) -> None:
    _, bob, chat_id = pair
    async with live(visit(bob), chat_id) as response:
        stream = Stream(response)
        await stream.until("<ol")
        stopping = asyncio.create_task(server.stop())
        await stream.end()
        await stopping
    page = stream.page
    assert page.one("meta", http_equiv="refresh").attrs["content"] == f"9;url=/c/{chat_id}/live"
    assert page.one("a", target="_self").attrs["href"] == f"/c/{chat_id}/live"


async def test_a_streamed_page_ends_at_once_when_its_reader_is_removed(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    async with live(visit(bob), chat_id) as response:
        stream = Stream(response)
        await stream.until("<ol")
        await ada.remove(chat_id, bob)
        await ada.say(chat_id, "he is gone")
        second = await server.user()
        await ada.add(chat_id, second)
        reader = await second.live("sse")
        await ada.say(chat_id, "really")
        await reader.until("new_message")
        await bob.api("POST", "/logout")
        await stream.end()
    assert "he is gone" not in stream.text
    assert "really" not in stream.text


async def test_a_streamed_page_ends_with_the_login_and_does_not_come_back(
    server: Server, visit: Visit, pair: Pair
) -> None:
    _, bob, chat_id = pair
    async with live(visit(bob), chat_id) as response:
        stream = Stream(response)
        await stream.until("<ol")
        await bob.api("POST", "/logout")
        await stream.end()
    assert "refresh" not in stream.text


async def test_a_streamed_page_whose_token_expires_comes_back_by_itself(
    server: Server, visit: Visit, pair: Pair
) -> None:
    _, bob, chat_id = pair
    visitor = visit(bob)
    async with live(visitor, chat_id) as response:
        stream = Stream(response)
        await stream.until("<ol")
        server.move_clock(3600)
        await stream.end()
    again = stream.page.one("meta", http_equiv="refresh").attrs["content"].partition("url=")[2]
    async with visitor.http.stream("GET", again) as response:
        assert response.status_code == 200
        await Stream(response).until("<ol")


@pytest.mark.parametrize("path", ["/events", "/stream", "/t/e", "/t/s", "/c/{chat}/live"])
async def test_head_of_a_stream_answers_at_once(
    server: Server, visit: Visit, pair: Pair, path: str
) -> None:
    _, bob, chat_id = pair
    async with asyncio.timeout(PATIENCE):
        answer = await visit(bob).http.head(path.format(chat=chat_id))
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("named", ["", "&named=1"])
async def test_fragments_come_over_sse_for_those_who_ask_for_html(
    server: Server, visit: Visit, pair: Pair, named: str
) -> None:
    ada, bob, chat_id = pair
    sent = await ada.say(chat_id, "hello <there>")
    path = f"/events?format=html&last_event_id={sent['event_id'] - 1}{named}"
    async with httpx_sse.aconnect_sse(visit(bob).http, "GET", path, timeout=PATIENCE) as source:
        event = await anext(source.aiter_sse())
    assert event.id == str(sent["event_id"])
    assert event.event == ("new_message" if named else "message")
    assert parse(event.data).messages() == ["hello <there>"]
    whole = (await visit(bob).get(f"/c/{chat_id}")).text
    assert event.data in whole


@pytest.mark.parametrize("transport", ["ws", "ws-batch", "stream", "sse", "poll", "poll-serial"])
async def test_events_carry_the_fragment_of_the_page_for_those_who_ask(
    server: Server, visit: Visit, pair: Pair, transport: str
) -> None:
    ada, bob, chat_id = pair
    sent = await ada.say(chat_id, "hello <there>")
    reader = bob.connect(transport, cursor=sent["event_id"] - 1, query={"html": "1"})
    event = await reader.one("new_message")
    assert event["html"] in (await visit(bob).get(f"/c/{chat_id}")).text
    await ada.api("POST", f"/chats/{chat_id}/read")
    read = await reader.one("messages_read")
    assert "html" not in read
    plain = bob.connect(transport, cursor=sent["event_id"] - 1)
    assert "html" not in await plain.one("new_message")


async def test_reading_the_streamed_page_counts_as_reading(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    watcher = await ada.live("sse")
    async with live(visit(bob), chat_id) as response:
        stream = Stream(response)
        await stream.until("<ol")
        sent = await ada.say(chat_id, "seen?")
        await stream.until("seen?")
        read = await watcher.one(
            lambda e: e["type"] == "messages_read" and e["data"]["user_id"] == bob.user_id
        )
    assert read["data"]["event_id"] >= sent["event_id"]
    chats = (await bob.api("GET", "/chats"))["chats"]
    assert json.dumps([chat["unread"] for chat in chats]) == "[0]"


async def test_a_streamed_page_says_what_was_changed_and_what_was_deleted(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    said = await ada.say(chat_id, "good evning")
    path = f"/messages/{said['message_id']}"
    async with live(visit(bob), chat_id) as response:
        stream = Stream(response)
        await stream.until("good evning")
        await bob.api("POST", f"{path}/reactions", emoji="🎂")
        await ada.api("PATCH", path, content="good evening")
        await stream.until("good evening")
        await ada.api("POST", f"{path}/pin")
        await stream.until("pinned a message")
        await ada.api("DELETE", path)
        await stream.until("A message was deleted.")
        await stream.until("</li>")
    change, deletion = stream.page.all("li", class_="change")
    assert change.text == "ada changed a message: good evening"
    assert [n.one("link").attrs["href"] for n in (change, deletion)] == [
        f"/marks/edited/{said['message_id']}.css",
        f"/marks/deleted/{said['message_id']}.css",
    ]
    assert "<!-- message_reacted -->" in stream.text
    assert len(stream.page.all("li", class_="msg")) == 1


async def test_the_style_for_an_old_text_names_that_message_alone_and_may_be_kept(
    server: Server, visit: Visit
) -> None:
    visitor = visit()
    for what in ("edited", "deleted"):
        answer = await visitor.get(f"/marks/{what}/17.css")
        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        assert "immutable" in answer.headers["cache-control"]
        assert "#m17 .body" in answer.text
        assert answer.text.count("{") == answer.text.count("}")
    for path in ("edited/1%7D*.css", "edited/x.css", "edited/.css", "other/17.css", "edited/٣.css"):
        assert (await visitor.get(f"/marks/{path}")).status_code == 404


async def test_a_stream_that_goes_past_midnight_says_the_new_day(
    server: Server, visit: Visit
) -> None:
    server.clock.stop(1_795_219_199.0)  # a second before midnight, UTC
    ada = await server.user("ada")
    chat_id = await ada.group()
    await ada.say(chat_id, "late")
    async with live(visit(ada), chat_id) as response:
        stream = Stream(response)
        await stream.until("late")
        assert len(stream.page.all("li", class_="day")) == 1
        server.clock.move(2)
        await ada.say(chat_id, "early")
        await stream.until("early")
    assert len(stream.page.all("li", class_="day")) == 2


async def test_a_deleted_message_tells_nothing_to_who_comes_later(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    said = await ada.say(chat_id, "secret one")
    await ada.api("PATCH", f"/messages/{said['message_id']}", content="secret two")
    await ada.api("DELETE", f"/messages/{said['message_id']}")
    async with live(visit(bob), chat_id, f"?last_event_id={said['event_id'] - 1}") as response:
        stream = Stream(response)
        await stream.until("A message was deleted.")
    assert "secret" not in stream.text
    assert "This message was deleted." in stream.text
