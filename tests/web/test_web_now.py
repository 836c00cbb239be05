"""The newest messages without scripts: streamed, in turns or still, by what gets through."""

from __future__ import annotations

import asyncio
import re

import pytest
from support.readers import PATIENCE
from support.server import Person, Server
from test_web_live import Stream
from web_support import Node, Visit, Visitor, parse

from quartchat.web import live

BROWSER = {"Upgrade-Insecure-Requests": "1"}
Pair = tuple[Person, Person, str]


@pytest.fixture
async def pair(server: Server) -> Pair:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PROOF_SECONDS", 0.3)


def stream(visitor: Visitor, address: str) -> object:
    return visitor.http.stream("GET", address, headers=BROWSER, timeout=PATIENCE)


async def frame(visitor: Visitor, chat_id: str) -> tuple[str, str]:
    """Addresses in a page of the chat: of the messages in its frame, of the style that shows it."""
    page = parse((await visitor.get(f"/c/{chat_id}", headers=BROWSER)).text)
    around = page.one("iframe").attrs["src"]
    (shown,) = [n.attrs["href"] for n in page.all("link") if "shown.css" in n.attrs["href"]]
    second = await visitor.page(refresh_of(await visitor.page(around))[1])
    return second.one("iframe").attrs["src"], shown


async def waiting(server: Server) -> None:
    """Until a page waits for news."""
    async with asyncio.timeout(PATIENCE):
        while not any(session.transport == "html" for session in server.services.sessions):
            await asyncio.sleep(0.01)


def refresh_of(page: Node) -> tuple[str, str]:
    seconds, _, url = page.one("meta", http_equiv="refresh").attrs["content"].partition(";url=")
    return seconds, url


def proof_in(page: Node) -> str:
    (proof,) = [n.attrs["href"] for n in page.all("link") if "first.css" in n.attrs["href"]]
    return proof


def ways(page: Node) -> dict[str, Node]:
    return {link.text: link for link in page.one("nav", class_="ways").all("a")}


@pytest.mark.usefixtures("hasty")
async def test_a_stream_whose_first_piece_arrives_goes_on(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    await ada.say(chat_id, "before")
    visitor = visit(bob)
    address, shown = await frame(visitor, chat_id)
    async with stream(visitor, address) as response:
        reader = Stream(response)
        await reader.until("first.css")
        await reader.until("</li>")
        assert (await visitor.get(proof_in(reader.page))).status_code == 200
        assert "visible" in (await visitor.get(shown)).text
        await asyncio.sleep(2 * live.PROOF_SECONDS)
        await ada.say(chat_id, "after")
        await reader.until("after")
    assert reader.page.messages() == ["before", "after"]
    assert list(ways(reader.page)) == ["Refresh by itself", "Stop refreshing"]


@pytest.mark.usefixtures("hasty")
async def test_a_stream_that_is_held_back_ends_and_the_page_is_fetched_in_turns_for_a_while(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    await ada.say(chat_id, "before")
    visitor = visit(bob)
    address, _ = await frame(visitor, chat_id)
    async with stream(visitor, address) as response:
        reader = Stream(response)
        await reader.end()
    seconds, otherwise = refresh_of(reader.page)
    assert seconds == "0"
    answer = await visitor.get(otherwise, headers=BROWSER)
    assert "Max-Age=900" in answer.headers["set-cookie"]
    page = parse(answer.text)
    assert page.messages() == ["before"]
    assert "The network holds the live page back." in page.one("nav", class_="ways").text
    seconds, again = refresh_of(page)
    assert int(seconds) < 10
    page = parse((await visitor.get(again, headers=BROWSER)).text)
    assert refresh_of(page) == ("0", again), "always the same address"
    assert "holds" not in page.one("nav", class_="ways").text


async def test_in_turns_a_request_waits_for_news_and_brings_them(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    visitor = visit(bob)
    answer = asyncio.create_task(visitor.get(f"/c/{chat_id}/now?r=1&again=1"))
    await waiting(server)
    await ada.say(chat_id, "news")
    page = parse((await answer).text)
    assert page.messages() == ["news"]
    chats = (await bob.api("GET", "/chats"))["chats"]
    assert [chat["unread"] for chat in chats] == [0]


async def test_a_server_that_stops_tells_a_waiting_page_when_to_come_back(
    server: Server, visit: Visit, pair: Pair
) -> None:
    _, bob, chat_id = pair
    answer = asyncio.create_task(visit(bob).get(f"/c/{chat_id}/now?r=1&again=1"))
    await waiting(server)
    await server.stop()
    seconds, _ = refresh_of(parse((await answer).text))
    assert 0 < int(seconds) < 10


async def test_the_reader_chooses_how_news_come_and_the_choice_is_kept(
    server: Server, visit: Visit, pair: Pair
) -> None:
    _, bob, chat_id = pair
    visitor = visit(bob)
    still = parse((await visitor.get(f"/c/{chat_id}/now?r=1&how=still", headers=BROWSER)).text)
    assert not still.all("meta", http_equiv="refresh")
    assert list(ways(still)) == ["Reload", "Show live", "Refresh by itself"]
    page = parse((await visitor.get(f"/c/{chat_id}", headers=BROWSER)).text)
    kept = parse((await visitor.get(page.one("iframe").attrs["src"], headers=BROWSER)).text)
    assert not kept.all("meta", http_equiv="refresh")
    for label, way in (("Refresh by itself", "turns"), ("Show live", "")):
        answer = await visitor.get(ways(kept)[label].attrs["href"], headers=BROWSER)
        assert answer.status_code == 303
        assert re.fullmatch(rf"/c/{chat_id}/now/\w+/2", answer.headers["location"])
        assert visitor.http.cookies.get("qc_now", "") == way


async def test_who_loads_no_styles_gets_a_page_that_ends_and_a_link_to_one_that_does_not(
    server: Server, visit: Visit, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    await ada.say(chat_id, "before")
    visitor = visit(bob)
    page = await visitor.page(f"/c/{chat_id}")
    inner = await visitor.page(page.one("iframe").attrs["src"])
    assert inner.messages() == ["before"]
    links = ways(inner)
    assert links["Show live"].attrs["href"] == f"/c/{chat_id}/live"
    assert (await visitor.page(links["Reload"].attrs["href"])).messages() == ["before"]


async def test_only_what_says_nothing_may_be_kept(server: Server, visit: Visit, pair: Pair) -> None:
    ada, bob, chat_id = pair
    await ada.say(chat_id, "secret words")
    visitor = visit(bob)
    for step in "12":
        answer = await visitor.get(f"/c/{chat_id}/now/abc/{step}")
        assert "immutable" in answer.headers["cache-control"]
        assert "private" in answer.headers["cache-control"]
        assert not {"secret words", "bob", "ada", "Choir"} & set(re.split(r"\W", answer.text))
    for path in ("?r=1&how=turns", "?r=1&how=still", "/abc/first.css"):
        answer = await visitor.http.get(f"/c/{chat_id}/now{path}", follow_redirects=False)
        assert "no-store" in answer.headers["cache-control"]
    assert (await visitor.get(f"/c/{chat_id}/now/abc/3")).status_code == 404


async def test_when_the_login_is_over_the_frame_says_so_and_refreshes_no_more(
    server: Server, visit: Visit, pair: Pair
) -> None:
    _, bob, chat_id = pair
    await bob.api("POST", "/logout")
    page = await visit(bob).page(f"/c/{chat_id}/now?r=1&again=1")
    assert page.one("a").attrs["href"] == f"/login?next=%2Fc%2F{chat_id}"
    assert not page.all("meta", http_equiv="refresh")


@pytest.mark.parametrize("name", ["/chats", "/chats/{chat}", "/chats/{chat}/about", "/chats/new"])
async def test_pages_answer_under_their_longer_names_too_and_link_to_the_short_ones(
    server: Server, visit: Visit, pair: Pair, name: str
) -> None:
    _, bob, chat_id = pair
    visitor = visit(bob)
    path = name.format(chat=chat_id)
    page = await visitor.page(path)
    assert page.by_id("site").one("a", aria_current="page" if path == "/chats" else "true")
    named = [n.attrs.get(a, "") for n in page.walk() for a in ("href", "action", "src")]
    asked = [address.partition("#")[0] for address in named]
    assert not [one for one in asked if re.search("chat|ws|socket|sse|stream|event|poll", one)]
    sent_away = await visit().get(path + "?x=1")
    short = path.replace("/chats", "/c").replace("/", "%2F")
    assert sent_away.headers["location"] == f"/login?next={short}%3Fx%3D1"
