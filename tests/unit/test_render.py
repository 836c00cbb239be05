"""What people wrote is shown as they wrote it, and never runs; fragments are the same for all."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from quartchat.web.dates import when
from quartchat.web.places import Place
from quartchat.web.render import (
    SHOWN,
    Renderer,
    initials,
    person_hue,
    person_key,
    segment,
)

ROOT = Path(__file__).parents[2]
NOW = "2026-11-21T02:00:00.123Z"
ME = {"user_id": "u1", "name": "Ada", "is_admin": False, "picture": None, "unread": 0}
FRAME: dict[str, Any] = {"me": ME, "nonce": "n0nce", "path": "/chats", "cursor": 1}
NASTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "https://example.org/\"onmouseover=alert(1)'",
    "https://example.org/<script>alert(1)</script>",
    "data:text/html,<script>alert(1)</script>",
    "&lt;script&gt; &amp;#x3C;",
    "{{ 7*7 }} {% raw %}",
]


class Read(HTMLParser):
    """Tags with their attributes, and the text with `<br>` as a line break."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "br":
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str | None]:
        return [attrs.get("href") for tag, attrs in self.tags if tag == "a"]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(ROOT / "templates", ROOT / "static", "Test & Co")


def message(**changed: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "message_id": "17",
        "chat_id": "c1",
        "sender_id": "u1",
        "sender": {"user_id": "u1", "name": "Ada"},
        "content": "Hello",
        "timestamp": NOW,
        "client_id": None,
        "attachments": [],
        "reply_to": None,
        "mentions": [],
    }
    return data | changed


def chat(**changed: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "chat_id": "c1",
        "other_id": None,
        "kind": "group",
        "title": "Crew",
        "description": "",
        "public": False,
        "unread": 2,
        "role": "owner",
        "last_message": {
            "message_id": "m1",
            "content": "Hello",
            "sender": {"user_id": "u1", "name": "Ada"},
            "timestamp": NOW,
        },
        "members": [{"user_id": "u1", "name": "Ada", "role": "owner"}],
        "member_count": 1,
    }
    return data | changed


def chat_page(renderer: Renderer, **changed: Any) -> str:
    context: dict[str, Any] = {
        "chats": [chat()],
        "chat": chat(),
        "items": [Markup('<li id="m1"></li>')],
        "cursor": 1,
        "older": None,
        "newer": None,
        "values": {},
        "errors": {},
        "reply": None,
        "is_member": True,
        "place": Place(),
        "unread": 0,
        "read_upto": None,
        "frame": {"url": "/c/c1/now?r=1", "name": "1"},
        "receipts": None,
        "members": [{**chat()["members"][0], "presence": "online"}],
        "online": 1,
        "other": None,
        "pins": [],
        "moderates": True,
        "may_pin": True,
        "palette": ["👍"],
        "client_id": "6f1c1b8e-0000-4000-8000-000000000000",
        "max_content": 8000,
        "max_upload": 2**20,
        "max_files": 10,
        "chosen": [],
    }
    return renderer.page("chat.html", **(FRAME | context | changed))


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_that_a_user_controls_can_leave_its_place(renderer: Renderer, nasty: str) -> None:
    data = message(
        message_id=nasty,
        chat_id=nasty,
        sender_id=nasty,
        sender={"user_id": nasty, "name": nasty},
        content=nasty,
        timestamp=nasty,
        reply_to={"message_id": nasty, "sender_name": nasty, "excerpt": nasty},
        mentions=[nasty],
    )
    tags = Read(renderer.fragment(17, "new_message", data) or "").tags
    names = {name for _, attrs in tags for name in attrs}
    assert {tag for tag, _ in tags} <= {"li", "p", "b", "span", "div", "a", "br", "time"}
    assert not any(name.startswith("on") or name == "style" for name in names)
    assert all("\n" not in (attrs.get("href") or "") for _, attrs in tags)


@pytest.mark.parametrize("nasty", NASTY)
def test_names_and_titles_are_escaped_on_pages(renderer: Renderer, nasty: str) -> None:
    me = ME | {"user_id": nasty, "name": nasty}
    person = {"user_id": nasty, "name": nasty, "role": "member"}
    room = chat(title=nasty, chat_id=nasty, members=[person])
    shown = {"chats": [room], "rooms": [room], "archived": 0, "is_archive": False}
    context = {**FRAME, "me": me, **shown, "notice": None}
    html = renderer.page("chats.html", **context) + chat_page(renderer, chat=room, chats=[room])
    scripts = [attrs for tag, attrs in Read(html).tags if tag == "script"]
    data = {"type": "text/html", "id": "tools"}
    assert all(not attrs or set(attrs) == {"type", "src"} or attrs == data for attrs in scripts)
    assert html.count("<script>") == html.count(f"<script>{renderer.again}</script>") == 2
    assert not re.search(r"<(svg|img src=x)", html)


# Their fragment is the new part of a message that stands there already.
CHANGES = {"message_edited", "message_deleted", "message_reacted"}


@pytest.mark.parametrize("type_", sorted(SHOWN - CHANGES))
def test_every_shown_type_is_one_line_and_one_list_item(renderer: Renderer, type_: str) -> None:
    data = message(content="two\nlines", user_id="u2", name="Bo\nris", title="T", chat_id="c")
    data["is_pinned"] = True
    html = renderer.fragment(5, type_, data) or ""
    assert html.startswith("<li ") and html.endswith("</li>")
    assert "\n" not in html
    assert html.count("<li") == 1
    assert 'data-event-id="5"' in html


def test_a_changed_message_is_the_same_fragment_as_in_history(renderer: Renderer) -> None:
    data = message(edited_at=NOW, pinned=True, reactions=[reaction("👍", "u2")])
    edited = renderer.fragment(99, "message_edited", data | {"user_id": "u1"})
    assert edited == renderer.fragment("17", "new_message", data)  # type: ignore[arg-type]


def test_what_is_left_of_a_deleted_message_is_the_same_as_in_history(renderer: Renderer) -> None:
    gone = {"message_id": "17", "chat_id": "c1", "user_id": "u1", "sender_id": "u1"}
    rest = renderer.fragment(99, "message_deleted", gone | {"timestamp": NOW}) or ""
    assert rest in (renderer.fragment(17, "new_message", message(content=None)) or "")
    assert rest.startswith("<div ")


def test_reactions_come_as_their_row_alone_and_as_nothing_where_there_are_none(
    renderer: Renderer,
) -> None:
    data = {"message_id": "17", "chat_id": "c1", "reactions": [reaction("👍", "u2", "u3")]}
    row = renderer.fragment(99, "message_reacted", data) or ""
    assert row in (renderer.fragment(17, "new_message", message(**data)) or "")
    assert f'data-who="{person_key("u2")} {person_key("u3")} "' in row
    assert renderer.fragment(99, "message_reacted", data | {"reactions": []}) is None


def reaction(emoji: str, *user_ids: str) -> dict[str, Any]:
    return {"emoji": emoji, "count": len(user_ids), "user_ids": list(user_ids)}


@pytest.mark.parametrize("type_", ["message_edited", "message_deleted"])
def test_a_page_that_only_grows_gets_a_line_and_a_style_for_what_stands_above(
    renderer: Renderer, type_: str
) -> None:
    html = renderer.fragment(99, type_, message(user_id="u1"), stream=True) or ""
    what = type_.removeprefix("message_")
    assert html.startswith('<li class="note change') and html.count("<li ") == 1
    assert f'href="/marks/{what}/17.css"' in html
    assert 'id="m17"' not in html
    assert "style=" not in html
    assert renderer.fragment(99, "message_reacted", message(reactions=[]), stream=True) is None


def test_types_without_a_place_in_the_timeline_have_no_fragment(renderer: Renderer) -> None:
    assert renderer.fragment(5, "messages_read", {"user_id": "u1"}) is None
    assert renderer.fragment(None, "user_typing", {"user_id": "u1"}) is None


def test_a_message_carries_its_id_its_author_and_a_way_to_answer(renderer: Renderer) -> None:
    html = renderer.fragment(17, "new_message", message()) or ""
    assert 'id="m17"' in html
    assert f'data-by="{person_key("u1")}"' in html
    assert 'href="/c/c1?reply_to=17#write"' in html


def test_a_deleted_message_shows_nothing_of_its_content(renderer: Renderer) -> None:
    html = renderer.fragment(17, "new_message", message(content=None, deleted=True)) or ""
    assert "deleted" in html
    assert "reply_to" not in html


def test_system_messages_need_no_more_than_a_text(renderer: Renderer) -> None:
    assert "Back at 10" in (
        renderer.fragment(None, "system_message", {"content": "Back at 10"}) or ""
    )
    assert renderer.fragment(None, "global_notification", {}) is not None


def test_the_page_marks_own_messages_by_one_rule_with_its_nonce(renderer: Renderer) -> None:
    html = chat_page(renderer)
    assert html.count("<style") == 1
    assert '<style nonce="n0nce">' in html
    assert f'[data-by="{person_key("u1")}"]' in html
    assert not re.search(r"\sstyle=", html)


def test_the_live_page_stops_inside_its_open_list(renderer: Renderer) -> None:
    html = renderer.page("live.html", **FRAME, chat=chat(), items=[Markup("<li>1</li>")])
    assert html.rstrip().endswith("<li>1</li>")
    assert "</ol>" not in html and "</body>" not in html


def test_the_end_of_a_live_page_comes_back_by_itself_and_by_a_link(renderer: Renderer) -> None:
    html = renderer.page("partials/live_end.html", retry_seconds=3, url="/c/c1/live")
    assert 'content="3;url=/c/c1/live"' in html
    assert 'href="/c/c1/live"' in html


def test_past_pages_have_no_live_frame(renderer: Renderer) -> None:
    assert "<iframe" in chat_page(renderer)
    assert "<iframe" not in chat_page(renderer, newer="/c/c1?after=9")


def test_a_preview_offers_to_join_and_nothing_to_write_with(renderer: Renderer) -> None:
    html = chat_page(renderer, is_member=False)
    assert 'action="/c/c1/join"' in html
    assert "<textarea" not in html and "<iframe" not in html


def test_form_errors_stand_at_their_field_and_values_stay(renderer: Renderer) -> None:
    html = renderer.page(
        "login.html",
        **(FRAME | {"me": None}),
        values={"name": "ad<a", "next": "/c/c1"},
        errors={"name": "Unknown.", "": "Try again."},
        signup_open=True,
        notice=None,
    )
    assert 'value="ad&lt;a"' in html and 'value="/c/c1"' in html
    assert 'aria-describedby="name-error"' in html and 'id="name-error">Unknown.' in html
    assert 'role="alert">Try again.' in html


def test_passwords_are_never_written_back(renderer: Renderer) -> None:
    values = {"name": "ada", "password": "secret-1", "email": None}
    html = renderer.page(
        "signup.html", **(FRAME | {"me": None}), values=values, errors={}, closed=False
    )
    assert "secret-1" not in html


def test_a_name_missing_from_the_context_is_an_error(renderer: Renderer) -> None:
    with pytest.raises(UndefinedError):
        renderer.page("error.html", **FRAME, status=404, code="not_found")


@given(st.text())
def test_person_keys_are_safe_in_selectors_and_hues_are_degrees(user_id: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", person_key(user_id))
    assert 0 <= person_hue(user_id) < 360


@given(st.text())
def test_a_segment_has_no_character_that_splits_an_address(value: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._~%-]*", segment(value))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ada Lovelace", "AL"), ("bo", "B"), ("a b c", "AC"), ("#linux-help", "LH"), ("…", "?")],
)
def test_initials_are_those_of_the_first_and_the_last_word(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_times_are_shown_in_utc_and_what_is_no_time_is_shown_escaped() -> None:
    assert when("2026-11-21T03:04:05.6+01:00") == (
        '<time datetime="2026-11-21T03:04:05.6+01:00" title="2026-11-21 02:04:05 UTC">'
        "21 Nov 2026, 02:04</time>"
    )
    assert when("<b>") == "&lt;b&gt;"
    assert ">21 Nov 2026<" in when(NOW, "day")


def attachment(name: str, kind: str = "image", **changed: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "attachment_id": "a1",
        "name": name,
        "kind": kind,
        "mime_type": "image/jpeg",
        "size": 5000,
        "url": "/files/a1",
        "thumbnail_url": "/files/a1/small",
        "preview_url": "/files/a1/large",
        "width": 4000,
        "height": 3000,
        "duration": None,
        "animated": False,
        "blur": "UklGRg==",
    }
    return data | changed


@pytest.mark.parametrize("kind", ["image", "video", "audio", "file"])
@pytest.mark.parametrize("nasty", NASTY)
def test_names_of_files_stay_in_their_place(renderer: Renderer, kind: str, nasty: str) -> None:
    files = [attachment(nasty, kind), attachment(nasty, kind, thumbnail_url=None, blur=None)]
    data = message(content="", attachments=files)
    read = Read(renderer.fragment(1, "new_message", data) or "")
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "svg"})
    assert not [attrs for _, attrs in read.tags if any(name.startswith("on") for name in attrs)]
    addresses = [attrs.get(at) or "/files/" for _, attrs in read.tags for at in ("href", "src")]
    assert all(one.startswith(("/", "data:image/webp;base64,")) for one in addresses)
    assert nasty in {value for _, attrs in read.tags for value in attrs.values()} | {read.text}
    assert "body" not in {attrs.get("class") for _, attrs in read.tags}  # nothing was written


def test_a_picture_s_place_is_kept_before_it_has_come(renderer: Renderer) -> None:
    html = renderer.fragment(1, "new_message", message(attachments=[attachment("a.jpg")])) or ""
    (shown,) = re.findall(r'<img src="/files/a1/small"[^>]*>', html)
    width, height = (int(n) for n in re.findall(r'(?:width|height)="(\d+)"', shown))
    assert width / height == pytest.approx(4 / 3, rel=0.02)
