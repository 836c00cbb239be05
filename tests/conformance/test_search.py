"""Searching: what is found, by whom, and what is not to be found any more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.readers import Refused
from support.server import Person, Server

from quartchat.chat import search as searching
from quartchat.store import search as found_in_store


async def search(person: Person, q: str, **filters: Any) -> dict[str, Any]:
    response = await person.request("GET", "/api/search", params={"q": q, **filters})
    if response.status_code >= 400:
        raise Refused(response.status_code, response.content)
    return dict(response.json())


async def texts(person: Person, q: str, **filters: Any) -> list[str]:
    return [message["content"] for message in (await search(person, q, **filters))["messages"]]


async def test_a_word_finds_the_messages_that_hold_it_newest_first_with_all_about_them(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.group(ben, title="Choir")
    await ada.say(chat, "the kettle boils")
    await ben.say(chat, "nothing of the kind")
    last = await ben.say(chat, "Which KETTLE?")
    found = await search(ada, "kettle")
    assert [m["content"] for m in found["messages"]] == ["Which KETTLE?", "the kettle boils"]
    assert (found["has_more"], found["before"]) == (False, None)
    [newest] = [m for m in await ada.history(chat) if m["message_id"] == last["message_id"]]
    extra = {"chat_title": "Choir", "snippet": [["Which ", False], ["KETTLE", True], ["?", False]]}
    assert found["messages"][0] == {**newest, **extra}


async def test_a_direct_chat_is_called_like_the_other_person(server: Server) -> None:
    ada, ben = await server.users(2)
    await ada.say(await ada.direct(ben), "only to you")
    for one, other in ((ada, ben), (ben, ada)):
        [message] = (await search(one, "only"))["messages"]
        assert message["chat_title"] == other.name


@pytest.mark.parametrize(
    ("said", "q"),
    [
        ("Добрий вечір, Європо", "європо"),
        ("ПРИВЕТ всем", "привет"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσεύς".replace("ύ", "υ")),
        ("今天天气很好", "天气"),
        ("東京タワー", "京"),
        ("well done 🎉", "🎉"),
        ("family 👩‍👩‍👧", "👩‍👩‍👧"),
        ("q", "Q"),
        ("say ok", "OK"),
        ("cafe\u0301 au lait", "café"),
        ("café au lait", "cafe\u0301"),
        ("GROẞ und klein", "groß"),
        ("𞤀𞤣𞤤𞤢𞤥", "𞤢𞤣𞤤"),
        ("საქართველო", "ქართველ"),
        ("שלום עולם", "עולם"),
        ("100% of \\o/ it's _fine_", "% of \\o/ it's _fine_"),
        ('she said "no"', "said no"),
    ],
)
async def test_any_script_is_found_whatever_its_case_and_spelling(
    server: Server, said: str, q: str
) -> None:
    ada = await server.user()
    chat = await ada.group()
    await ada.say(chat, "something else")
    await ada.say(chat, said)
    assert await texts(ada, q) == [said]


async def test_words_must_all_be_there_phrases_stay_together_and_minus_takes_out(
    server: Server,
) -> None:
    ada = await server.user()
    chat = await ada.group()
    for text in ("red hot tea", "hot red soup", "red wine", "tea"):
        await ada.say(chat, text)
    assert await texts(ada, "red hot") == ["hot red soup", "red hot tea"]
    assert await texts(ada, '"red hot"') == ["red hot tea"]
    for quoted in ("“red hot”", "«red hot»", "„red hot“"):
        assert await texts(ada, quoted) == ["red hot tea"]
    assert await texts(ada, "red -tea") == ["red wine", "hot red soup"]
    assert await texts(ada, 'red -"hot red"') == ["red wine", "red hot tea"]
    assert await texts(ada, '"hot re') == ["hot red soup"]


@pytest.mark.parametrize("way", ["left", "removed", "banned"])
async def test_only_members_find_and_nothing_any_more_once_they_are_out(
    server: Server, way: str
) -> None:
    ada, ben, eve = await server.users(3)
    chat = await ada.group(ben)
    await ada.say(chat, "a secret")
    assert await texts(ben, "secret") == ["a secret"]
    assert await texts(eve, "secret") == []
    if way == "left":
        await ben.api("DELETE", f"/chats/{chat}/members/me")
    elif way == "removed":
        await ada.remove(chat, ben)
    else:
        await ada.api("POST", f"/chats/{chat}/bans", user_id=ben.user_id)
    assert await texts(ben, "secret") == []
    with pytest.raises(Refused) as refused:
        await search(ben, "secret", chat_id=chat)
    assert refused.value.status == 403


async def test_a_newcomer_finds_what_the_history_shows_them(server: Server) -> None:
    ada, ben = await server.users(2)
    fields = {"kind": "group", "members": []}
    old = await ada.api("POST", "/chats", **fields, title="shown", history="all")
    new = await ada.api("POST", "/chats", **fields, title="hidden", history="joined")
    for chat in (old, new):
        await ada.say(chat["chat_id"], f"early {chat['title']}")
        await ada.add(chat["chat_id"], ben)
        await ada.say(chat["chat_id"], f"early enough {chat['title']}")
    assert await texts(ben, "early") == ["early enough hidden", "early enough shown", "early shown"]


async def test_a_public_room_is_searched_before_joining_when_named_but_shows_no_addresses(
    server: Server,
) -> None:
    ada, ben = await server.user("ada", "ada@example.org"), await server.user()
    room = await ada.group(public=True)
    await ada.say(room, "come in")
    assert await texts(ben, "come") == []
    [found] = (await search(ben, "come", chat_id=room))["messages"]
    assert "email" not in found["sender"]
    await ada.api("POST", f"/chats/{room}/bans", user_id=ben.user_id)
    with pytest.raises(Refused) as refused:
        await search(ben, "come", chat_id=room)
    assert refused.value.status == 403


async def test_an_edited_message_is_found_by_its_new_words_alone(server: Server) -> None:
    ada = await server.user()
    sent = await ada.say(await ada.group(), "teh ketle")
    path = f"/messages/{sent['message_id']}"
    await ada.api("PATCH", path, content="the kettle")
    assert (await texts(ada, "ketle"), await texts(ada, "kettle")) == ([], ["the kettle"])
    await ada.api("PATCH", path, content="the kettle!")
    assert await texts(ada, "kettle") == ["the kettle!"]


async def test_a_deleted_message_is_not_found_and_leaves_no_word_in_the_index(
    server: Server,
) -> None:
    from sqlalchemy import text

    ada = await server.user()
    chat = await ada.group()
    sent = await ada.say(chat, "xyzzy plugh")
    await ada.say(chat, "plugh")
    await ada.api("DELETE", f"/messages/{sent['message_id']}")
    assert (await texts(ada, "xyzzy"), await texts(ada, "plugh")) == ([], ["plugh"])
    assert await texts(ada, "zy") == []
    query = text("SELECT count(*) FROM search_terms WHERE term = 'xyz'")
    count = await server.services.database.read(lambda c: c.execute(query))
    assert count.scalar_one() == 0


async def test_chat_author_and_days_narrow_the_search_down(server: Server) -> None:
    ada, ben = await server.users(2)
    one, two = await ada.group(ben), await ada.group(ben)
    server.clock.stop(at=1_900_000_000)  # 2030-03-17T17:46:40Z
    ada, ben = await server.log_in_again(ada), await server.log_in_again(ben)
    await ada.say(one, "word one ada")
    server.clock.move(86_400)
    ben = await server.log_in_again(ben)
    await ben.say(one, "word one ben")
    server.clock.move(40 * 86_400)
    ada, ben = await server.log_in_again(ada), await server.log_in_again(ben)
    await ben.say(two, "word two ben")
    assert await texts(ada, "word", chat_id=one) == ["word one ben", "word one ada"]
    assert await texts(ada, "word", sender_id=ben.user_id) == ["word two ben", "word one ben"]
    assert await texts(ada, "word", since="2030-03-18") == ["word two ben", "word one ben"]
    assert await texts(ada, "word", until="2030-03-17") == ["word one ada"]
    march = {"since": "2030-03-01", "until": "2030-03-31"}
    assert await texts(ada, "word", **march) == ["word one ben", "word one ada"]
    assert await texts(ada, "word", **march, sender_id=ben.user_id) == ["word one ben"]
    assert await texts(ada, "word", since="2031-01-01") == []
    assert await texts(ada, "word", since="2030-03-18", until="2030-03-17") == []
    assert await texts(ada, "word", sender_id="nobody") == []


@pytest.mark.parametrize("seconds", [0.0, 1.0])
async def test_pages_name_every_match_once_however_short_the_time_for_each(
    server: Server, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(found_in_store, "SECONDS", seconds)
    ada = await server.user()
    chat = await ada.group()
    for number in range(30):
        await ada.say(chat, f"{'even' if number % 2 == 0 else 'odd'} {number}")
    for q in ("even", "ev", "e -odd"):
        pages, before = [], None
        while before is not None or not pages:
            found = await search(ada, q, limit=4, **({"before": before} if before else {}))
            assert len(found["messages"]) <= 4
            assert found["has_more"] is (found["before"] is not None)
            pages += [m["content"] for m in found["messages"]]
            before = found["before"]
        assert pages == [f"even {number}" for number in range(28, -1, -2)]


async def test_an_answer_has_at_most_fifty_messages_and_twenty_unless_asked(
    server: Server,
) -> None:
    ada = await server.user()
    chat = await ada.group()
    await ada.say_many(chat, 55)
    assert len(await texts(ada, "message")) == 20
    assert len(await texts(ada, "message", limit=1000)) == 50


@pytest.mark.parametrize(
    "q",
    ["", "   ", '""', "-", "-only", "x" * 201, "a b c d e f g h i j k", "nul\0", '-"a" -b'],
)
async def test_what_cannot_be_searched_for_is_refused_beside_its_field(
    server: Server, q: str
) -> None:
    ada = await server.user()
    with pytest.raises(Refused) as refused:
        await search(ada, q)
    assert (refused.value.status, refused.value.code) == (422, "invalid")
    assert refused.value.problem["field"] == "q"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("since", "yesterday", "invalid"),
        ("until", "2030-02-30", "invalid"),
        ("since", "2030-W01-1", "invalid"),
        ("limit", "0", "invalid"),
        ("before", "-1", "bad_cursor"),
        ("chat_id", "nowhere", "chat_not_found"),
    ],
)
async def test_a_filter_that_says_nothing_is_refused(
    server: Server, field: str, value: str, code: str
) -> None:
    ada = await server.user()
    with pytest.raises(Refused) as refused:
        await search(ada, "word", **{field: value})
    assert refused.value.code == code


@pytest.mark.parametrize(
    "q",
    [
        'a" NOT "b',
        "word*",
        "body : word",
        "NEAR(word word, 2)",
        "^word",
        "{body}:word",
        "word AND (",
        "'; DROP TABLE messages; --",
        "%_%",
        "\\",
        "\ue000\ue100\ue100",
        "\U0010ffff",
        "\ufffe\uffff",
        "x" * 200,
        "+ ? . * [a] ( )",
    ],
)
async def test_no_sign_in_a_query_means_more_than_itself(server: Server, q: str) -> None:
    ada = await server.user()
    chat = await ada.group()
    await ada.say(chat, "a word, b word")
    assert await texts(ada, q) == []
    said = " ".join(term for term in q.replace('"', " ").split() if term.strip("-"))
    await ada.say(chat, said)
    assert await texts(ada, q) == [said]


async def test_nobody_searches_without_a_login(server: Server) -> None:
    answer = await server.client.get(f"{server.url}/api/search?q=word")
    assert answer.status_code == 401


ALPHABET = "aAbBßẞ éÉе́ЖжσςΣı İi今天🎉\ue000\u1c80в-\"'"
SMALL_TEXTS = st.text(ALPHABET, min_size=1, max_size=8)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(said=st.lists(SMALL_TEXTS, max_size=6), q=st.text(ALPHABET, min_size=1, max_size=6))
def test_a_search_finds_what_reading_all_messages_finds(
    folder_of_talk: Any, said: list[str], q: str
) -> None:
    folder_of_talk(said, q)


@pytest.fixture
def folder_of_talk(migrated: Any) -> Any:
    """Says the texts in an empty chat of a new database, and compares."""
    import asyncio
    import shutil
    import tempfile
    from pathlib import Path

    from support.log import open_log

    from quartchat.chat import messages, rooms
    from quartchat.protocol import CreateChat, SendMessage

    async def compare(folder: Path, said: list[str], q: str) -> None:
        shutil.copyfile(migrated, folder / "quartchat.db")
        async with open_log(folder) as log:
            await log.add_users("ada")
            wish = CreateChat(kind="group", title="talk")
            chat_id, _ = await rooms.create(log.core, "ada", wish)
            for text in said:
                await messages.send(log.core, "ada", SendMessage(chat_id, text))
            found = await searching.find(log.core, "ada", searching.Query(q))
        words, without = searching.read_words(q)
        taken = [text for text in reversed(said) if is_wanted(text, words, without)]
        assert [message["content"] for message in found["messages"]] == taken
        for message in found["messages"]:
            assert "".join(piece for piece, _ in message["snippet"]) == message["content"]

    def check(said: list[str], q: str) -> None:
        try:
            searching.read_words(q)
        except searching.Invalid:
            return
        said = [text for text in said if text.strip()]
        with tempfile.TemporaryDirectory() as name:
            asyncio.run(compare(Path(name), said, q))

    return check


def is_wanted(text: str, words: list[Any], without: list[Any]) -> bool:
    low = "".join(map(simply_folded, text))

    def there(word: Any) -> bool:
        return any("".join(map(simply_folded, one)) in low for one in word.spellings)

    return all(map(there, words)) and not any(map(there, without))


def simply_folded(char: str) -> str:
    if char == "\u1c80":  # younger than its partner: no index is sure to know it
        return char
    for folded in (char.casefold(), char.lower()):
        if len(folded) == 1:
            return folded
    return char
