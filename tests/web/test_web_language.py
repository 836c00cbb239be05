"""Pages, fragments and refusals come in the reader's language, and in the theme of their choice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from babel.dates import format_date
from support.readers import KINDS, Transport
from support.server import Server
from support.translations import translated
from web_support import Visit, Visitor

NOWHERE = "There is nothing at this address."
RU = {
    NOWHERE: "По этому адресу ничего нет.",
    "There is no such chat.": "Такого чата нет.",
    "{name} takes a number of seconds.": "{name}: нужно число секунд.",
    "The access token could not be read.": "Токен не читается.",
    "This is not an access token (a JWT is expected).": "Это не токен.",
}
UK = {NOWHERE: "За цією адресою нічого немає."}


@pytest.fixture(autouse=True)
def own_texts(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "texts").mkdir()
    with translated(tmp_path / "texts", RU, UK):
        yield


async def spoken(visitor: Visitor, path: str = "/nowhere") -> tuple[str, str]:
    """(the language that the error page names, what it says)."""
    page = await visitor.page(path, 404)
    return page.one("html").attrs["lang"], page.one("h1").text


@pytest.mark.parametrize(
    ("accepted", "code", "said"),
    [
        ("ru", "ru", RU[NOWHERE]),
        ("uk-UA,uk;q=0.9,ru;q=0.8,en;q=0.7", "uk", UK[NOWHERE]),
        ("be, ru-RU;q=0.9, en;q=0.1", "ru", RU[NOWHERE]),
        ("en-GB,ru;q=0.5", "en", NOWHERE),
        ("ru;q=0, en", "en", NOWHERE),
        ("fr, de;q=0.5", "en", NOWHERE),
        ("ru;q=0", "en", NOWHERE),
        ("*", "en", NOWHERE),
        (";;q=x,,ru;q=nan", None, None),
        ("", "en", NOWHERE),
    ],
)
async def test_the_language_is_the_first_of_the_browsers_that_there_is(
    visit: Visit, accepted: str, code: str | None, said: str | None
) -> None:
    visitor = visit()
    visitor.http.headers["Accept-Language"] = accepted
    found = await spoken(visitor)
    assert found == (code, said) if code else found[0] in ("en", "ru")


async def test_the_choice_wins_over_the_browser_and_an_address_over_the_choice(
    visit: Visit,
) -> None:
    visitor = visit()
    visitor.http.headers["Accept-Language"] = "ru"
    visitor.http.cookies.set("qc_lang", "uk")
    assert await spoken(visitor) == ("uk", UK[NOWHERE])
    assert await spoken(visitor, "/nowhere?lang=en") == ("en", NOWHERE)
    assert await spoken(visitor, "/nowhere?lang=xx") == ("uk", UK[NOWHERE])
    visitor.http.cookies.set("qc_lang", "../../etc/passwd")
    assert await spoken(visitor) == ("ru", RU[NOWHERE])


async def test_the_theme_is_there_from_the_first_byte_and_only_if_it_was_chosen(
    visit: Visit,
) -> None:
    visitor = visit()
    for chosen, shown in ((None, None), ("dark", "dark"), ("light", "light"), ('"><b>', None)):
        if chosen:
            visitor.http.cookies.set("qc_theme", chosen)
        page = await visitor.page("/login")
        assert page.one("html").attrs.get("data-theme") == shown
        assert page.one("html").attrs["dir"] == "ltr"


async def test_language_and_theme_are_chosen_without_a_login_and_kept(visit: Visit) -> None:
    visitor = visit()
    response = await visitor.post("/settings/look", lang="ru", theme="dark", next="/login?next=/x")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=/x")
    for cookie in response.headers.get_list("set-cookie"):
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax", "max-age=31536000"} <= parts
    page = await visitor.page("/login")
    assert page.one("html").attrs["lang"] == "ru"
    assert page.one("html").attrs["data-theme"] == "dark"


async def test_an_empty_choice_goes_back_to_the_browser_and_a_missing_one_changes_nothing(
    visit: Visit,
) -> None:
    visitor = visit()
    await visitor.post("/settings/look", lang="uk", theme="dark")
    await visitor.post("/settings/look", theme="")
    html = (await visitor.page("/login")).one("html")
    assert (html.attrs["lang"], html.attrs.get("data-theme")) == ("uk", None)
    await visitor.post("/settings/look", lang="")
    assert (await visitor.page("/login")).one("html").attrs["lang"] == "en"


async def test_what_is_no_choice_is_refused_and_another_site_cannot_choose(visit: Visit) -> None:
    visitor = visit()
    assert (await visitor.post("/settings/look", lang="tlh")).status_code == 422
    assert (await visitor.post("/settings/look", theme="neon")).status_code == 422
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    response = await visitor.http.post("/settings/look", data={"lang": "ru"}, headers=foreign)
    assert response.status_code == 403
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil", ""])
async def test_a_choice_never_leads_to_another_site(visit: Visit, target: str) -> None:
    response = await visit().post("/settings/look", lang="ru", next=target)
    assert response.headers["location"] == "/c"


async def problem(visitor: Visitor, path: str, **headers: str) -> tuple[Any, httpx.Response]:
    response = await visitor.http.get(path, headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    return response.json(), response


async def test_problem_documents_speak_the_language_that_was_asked_for(
    server: Server, visit: Visit
) -> None:
    visitor, path = visit(await server.user()), "/api/chats/none/messages"
    plain, _ = await problem(visitor, path)
    assert plain["detail"] == plain["message"] == "There is no such chat."
    told, response = await problem(visitor, path, **{"Accept-Language": "ru"})
    assert told["detail"] == told["message"] == "Такого чата нет."
    assert told["code"] == plain["code"] and told["title"] == plain["title"]
    assert response.headers["content-language"] == "ru"
    visitor.http.cookies.set("qc_lang", "ru")
    told, _ = await problem(visitor, "/poll?timeout=x")
    assert told["detail"] == "timeout: нужно число секунд."


async def test_a_websocket_is_told_its_errors_in_the_language_of_the_handshake(
    server: Server,
) -> None:
    ada = await server.user()
    for headers, said in (({}, "There is no such chat."), ({"Accept-Language": "ru"}, RU_CHAT)):
        reader = await ada.live("ws", headers=headers)
        await reader.send("send_message", {"chat_id": "none", "content": "x"})
        assert (await reader.one("error"))["data"]["message"] == said


RU_CHAT = RU["There is no such chat."]


async def test_the_serial_poll_answers_in_its_language(server: Server) -> None:
    ada = await server.user()
    command = {"type": "mark_read", "data": {"chat_id": "none"}}
    response = await ada.request("POST", "/poll?lang=ru", json={"commands": [command]})
    errors = [event for event in response.json()["events"] if event["type"] == "error"]
    assert [error["data"]["message"] for error in errors] == [RU_CHAT]


def month(code: str) -> str:
    return format_date(datetime.now(UTC), "d MMM", locale=code)


@pytest.mark.parametrize("transport", KINDS, ids=[kind.name for kind in KINDS])
async def test_readers_of_one_chat_get_the_same_event_each_with_html_of_their_language(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben)
    asked: dict[str, dict[str, Any]] = {
        "en": {"query": {"html": "1"}},
        "ru": {"query": {"html": "1"}, "headers": {"Accept-Language": "ru"}},
        "uk": {"query": {"html": "1", "lang": "uk"}, "headers": {"Accept-Language": "ru"}},
    }
    readers = {code: await ben.live(transport, **more) for code, more in asked.items()}
    again = {code: await ada.live(transport, **more) for code, more in asked.items()}
    sent = await ada.say(chat, "hello")
    got = {code: (await reader.until_id(sent["event_id"]))[-1] for code, reader in readers.items()}
    for code, event in got.items():
        assert (await again[code].until_id(sent["event_id"]))[-1] == event
        assert month(code) in event["html"]
        assert "hello" in event["html"]
    pure = [{name: value for name, value in e.items() if name != "html"} for e in got.values()]
    assert pure[0] == pure[1] == pure[2]
    assert len({event["html"] for event in got.values()}) == 3


@pytest.mark.parametrize("code", ["uk", "en"])
async def test_streamed_html_and_sse_of_html_speak_the_language_of_their_request(
    server: Server, code: str
) -> None:
    ada = await server.user()
    chat = await ada.group()
    before = await server.head()
    sent = await ada.say(chat, "hello")
    for path in ("/events?format=html&", f"/c/{chat}/live?"):
        url = f"{server.url}{path}lang={code}&last_event_id={before}"
        headers = {"Authorization": f"Bearer {ada.token}", "Accept-Language": "ru"}
        async with server.client.stream("GET", url, headers=headers) as response:
            got = ""
            async for text in response.aiter_text():
                got += text
                if "caught_up" in got:
                    break
        assert f'data-event-id="{sent["event_id"]}"' in got
        assert month(code) in got
