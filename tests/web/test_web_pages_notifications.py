"""Notifications, by links and forms alone."""

from __future__ import annotations

from support.server import Person, Server
from web_support import Node, Visit, Visitor


def shown(page: Node) -> list[str]:
    """The sentences, the newest first, without the words for being unread and the time."""
    texts = []
    for notice in page.all("a", class_="notice"):
        text = notice.one("span", class_="notice-text").text
        when = notice.one("span", class_="notice-when").text
        texts.append(text.removeprefix("unread: ").removesuffix(when).strip())
    return texts


def count(page: Node) -> str:
    badges = page.by_id("bell").all("span", class_="badge")
    return badges[0].text if badges else ""


async def house(server: Server) -> tuple[Person, Person, str]:
    """ada, to whom bob has written, whom he mentioned, asked, and follows."""
    ada, bob = await server.user("ada"), await server.user("bob")
    chat = await ada.group(bob, title="Choir")
    await bob.say(chat, "first")
    await bob.say(chat, "@ada second")
    await bob.api("POST", f"/friends/{ada.user_id}")
    await bob.api("POST", f"/follows/{ada.user_id}")
    return ada, bob, chat


async def test_the_bell_counts_on_every_page_and_the_list_says_what_happened(
    server: Server, visit: Visit
) -> None:
    ada, _, _ = await house(server)
    visitor = visit(ada)
    assert count(await visitor.page("/people")) == "4 unread"
    page = await visitor.page("/notifications")
    assert page.one("title").text.startswith("(4) ")
    assert shown(page) == [
        "bob follows you now.",
        "bob wants to be your friend.",
        "bob mentioned you in Choir: @ada second",
        "bob wrote in Choir: first",
    ]


async def test_following_a_notification_reads_it_and_leads_to_the_very_message(
    server: Server, visit: Visit
) -> None:
    ada, _, chat = await house(server)
    visitor = visit(ada)
    mention = (await visitor.page("/notifications")).all("a", class_="notice")[2]
    answer = await visitor.get(mention.attrs["href"])
    second = (await ada.history(chat))[-1]["message_id"]
    assert answer.headers["location"] == f"/c/{chat}?focus={second}#m{second}"
    assert count(await visitor.page("/people")) == "3 unread"


async def test_one_is_marked_as_read_and_then_all(server: Server, visit: Visit) -> None:
    ada, _, _ = await house(server)
    visitor = visit(ada)
    page = await visitor.page("/notifications?unread=1")
    everything, *single = page.all("form", action="/notifications/read")
    page = await visitor.follow(await visitor.submit(single[0]))
    assert count(page) == "3 unread"
    assert len(shown(page)) == 3
    page = await visitor.follow(await visitor.submit(everything))
    assert count(page) == ""
    assert "You have seen everything." in page.text
    assert len(shown(await visitor.page("/notifications"))) == 4


async def test_a_long_list_comes_in_pages(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    chat = await ada.group(bob)
    texts = [f"@ada number {n}" for n in range(45)]
    for text in texts:
        await bob.say(chat, text)
    visitor = visit(ada)
    page = await visitor.page("/notifications")
    older = await visitor.page(page.one("a", rel="next").attrs["href"])
    seen = [line.partition(": ")[2] for line in shown(page) + shown(older)]
    assert seen == texts[::-1]
    assert not older.all("a", rel="next")


async def test_before_anything_happened_the_list_says_what_it_is_for(
    server: Server, visit: Visit
) -> None:
    page = await visit(await server.user()).page("/notifications")
    assert "Nothing has happened yet." in page.text
    assert "disabled" in page.by_id("main").all("button")[0].attrs


async def test_names_and_texts_of_others_are_shown_as_text(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("<b>{name}")
    chat = await ada.group(bob, title="<i>{excerpt}</i>")
    await bob.say(chat, "@ada <script>{title}</script>")
    page = await visit(ada).page("/notifications")
    assert shown(page) == [
        "<b>{name} mentioned you in <i>{excerpt}</i>: @ada <script>{title}</script>"
    ]
    assert not page.by_id("notices").all("script")


async def test_notifications_of_others_are_not_found(server: Server, visit: Visit) -> None:
    ada, bob, _ = await house(server)
    theirs = (await visit(ada).page("/notifications")).all("a", class_="notice")[0].attrs["href"]
    number = theirs.rpartition("/")[2]
    other = visit(bob)
    for path in (theirs, f"{theirs}/toast", "/notifications/x", "/notifications/x/toast"):
        assert (await other.get(path)).status_code == 404
    assert (await other.post("/notifications/read", id=number)).status_code == 404
    assert count(await visit(ada).page("/people")) == "4 unread"


async def test_the_live_parts_are_those_of_the_page(server: Server, visit: Visit) -> None:
    ada, _, _ = await house(server)
    visitor = visit(ada)
    page = await visitor.page("/notifications")
    row = page.all("a", class_="notice")[0]
    toast = await visitor.page(f"{row.attrs['href']}/toast")
    assert toast.one("a", class_="notice") == row
    bell = (await visitor.page("/notifications/bell")).by_id("bell")
    assert bell.text == page.by_id("bell").text
    assert count(await _later(visitor)) == "4 unread"


async def _later(visitor: Visitor) -> Node:
    return await visitor.page("/c")
