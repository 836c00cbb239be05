"""What must not happen: scripts of others, requests of others, cookies for others."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from support.server import Server
from web_support import Node, Start, Visit, parse

from quartchat.paths import folder

PASSWORD = "five blue horses run"
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\"><svg onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "{{7777*7}}{% raw %}",
    "javascript:alert(1)",
    'https://a.example/"onmouseover="alert(1)',
    "https://a.example/'><b>x",
    "<!--",
    "]]>",
]
NAMES = ["<b>x", "\"onfocus=alert(1)x='", "'><svg", "<script>alert(1)<!--", "{{7777*7}}"]
AGAIN = (folder("static") / "js/again.js").read_text()
OWN = {"script": {"src"}, "iframe": {"src"}}


def check_clean(page: Node, raw: str) -> None:
    """No element, attribute or address that is not of the templates."""
    for node in page.walk():
        for name, value in node.attrs.items():
            assert not name.startswith("on"), f"{node.tag} {node.attrs}"
            if name in ("href", "src", "action"):
                assert not value.strip().lower().startswith(("javascript:", "data:")), value
        if node.tag == "script" and node.attrs.get("id") == "tools":  # pieces for the page's own
            assert node.attrs["type"] == "text/html" and not parse(node.raw).all("script")
        elif node.tag == "script" and not node.attrs:
            assert node.raw == AGAIN
        elif node.tag == "script":
            assert re.fullmatch(r"/s/[0-9a-f]{16}\.js", node.attrs["src"])
            assert not node.raw.strip()
        assert node.tag not in ("svg", "img") or node.attrs.get("src", "").startswith("/s/")
        if node.tag == "a" and not node.attrs["href"].startswith(("/", "#")):
            assert node.attrs["rel"] == "noopener noreferrer nofollow"
    assert "<svg" not in raw
    assert "54439" not in page.by_id("main").text


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_people_write_is_text_on_every_page(
    server: Server, visit: Visit, attack: str
) -> None:
    ada, bob = await server.users(2)
    room = await ada.group(bob, public=True, title=attack[:100])
    first = await ada.say(room, attack)
    await bob.say(room, attack, reply_to=first["message_id"])
    eve = await server.user()
    reply = f"?reply_to={first['message_id']}"
    for person in (bob, eve):
        visitor = visit(person)
        for path in ("/c", f"/c/{room}", f"/c/{room}{reply}"):
            answer = await visitor.get(path)
            assert answer.status_code == 200
            check_clean(parse(answer.text), answer.text)
    shown = await visit(bob).page(f"/c/{room}")
    assert [m.replace("\n", "") for m in shown.messages()] == [attack, attack]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_text_on_every_page(server: Server, visit: Visit, name: str) -> None:
    villain = visit()
    answer = await villain.post("/signup", name=name, password=PASSWORD)
    assert answer.status_code in (303, 422)
    if answer.status_code == 422:
        check_clean(parse(answer.text), answer.text.replace(name, ""))
        return
    bob = await server.user()
    chat = (await villain.post("/c/new", kind="direct", user=bob.name)).headers["location"]
    await villain.send(chat.rpartition("/")[2], f"@{name} hello")
    for visitor in (villain, visit(bob)):
        for path in ("/c", chat, "/profile"):
            answer = await visitor.get(path)
            check_clean(parse(answer.text), answer.text)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_is_typed_into_forms_comes_back_as_text(
    server: Server, visit: Visit, attack: str
) -> None:
    ada = await server.user("ada")
    visitor = visit(ada)
    room = await ada.group()
    long = attack + "x" * 8000
    answers = [
        await visit().get("/login", params={"next": attack}),
        await visit().get("/signup", params={"setup": attack}),
        await visit().post("/login", name=attack, password="x", next=attack),
        await visit().post("/signup", name=attack + "@", password="x", email=attack, setup=attack),
        await visitor.post("/c/new", kind="group", title=attack, members=attack),
        await visitor.post("/c/new", kind="direct", user=attack),
        await visitor.post("/profile", email=attack + " ", current_password="", new_password=""),
        await visitor.post(f"/c/{room}/messages", content=long, client_id=attack),
        await visitor.post(f"/c/{room}/add", user=attack),
        await visitor.get(f"/c/{room}", params={"focus": attack, "reply_to": attack}),
    ]
    for answer in answers:
        assert answer.status_code < 500, answer.request.url
        check_clean(parse(answer.text), answer.text)


PAGES = ["/login", "/signup", "/c", "/c/new", "/profile", "/c/{chat}"]
LIVE = "/c/{chat}/live"
FAILED = ["/nothing", "/c/nothing", "/static/nothing.js", "/api/nothing", "/api/me"]


async def test_the_one_script_that_stands_in_a_page_is_the_one_that_may(
    server: Server, visit: Visit
) -> None:
    answer = await visit(await server.user()).http.get("/c")
    inside = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    [script] = inside
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", [*PAGES, *FAILED, LIVE])
async def test_every_answer_carries_the_headers_of_safety(
    server: Server, visit: Visit, path: str
) -> None:
    ada = await server.user()
    address = path.format(chat=await ada.group())
    visitor = visit(ada)
    async with visitor.http.stream("GET", address) as answer:
        headers = answer.headers
    parts = headers["content-security-policy"].split(";")
    policy = dict(part.strip().split(" ", 1) for part in parts)
    assert policy["default-src"] == "'none'"
    assert re.fullmatch(r"'self' 'sha256-[\w+/]{43}='", policy["script-src"])
    assert policy["base-uri"] in ("'self'", "'none'")
    assert policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] in ("'self'", "'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert "*" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert "server" not in headers


@pytest.mark.parametrize("path", [*PAGES, LIVE])
async def test_inline_styles_carry_the_nonce_of_their_own_answer(
    server: Server, visit: Visit, path: str
) -> None:
    ada = await server.user()
    address = path.format(chat=await ada.group())
    nonces = set()
    for _ in range(2):
        async with visit(ada).http.stream("GET", address) as answer:
            text = ""
            async for piece in answer.aiter_text():
                text += piece
                if "</html>" in text or "<ol" in text:
                    break
        policy = answer.headers["content-security-policy"]
        allowed = re.findall(r"'nonce-([^']+)'", policy)
        for style in re.findall(r"<style([^>]*)>", text):
            assert f'nonce="{allowed[0]}"' in style
        assert " style=" not in text
        nonces |= set(allowed)
    assert len(nonces) == 2, "a nonce is used once"


async def test_pages_are_not_kept_by_caches_and_files_are(server: Server, visit: Visit) -> None:
    visitor = visit(await server.user())
    page = await visitor.get("/c")
    assert "no-store" in page.headers["cache-control"]
    for sheet in parse(page.text).all("link", rel="stylesheet"):
        answer = await visitor.get(sheet.attrs["href"])
        assert "immutable" in answer.headers["cache-control"]


def cookies_of(headers: list[str]) -> dict[str, dict[str, str]]:
    found = {}
    for header in headers:
        first, *rest = [part.strip() for part in header.split(";")]
        flags = {part.partition("=")[0].lower(): part.partition("=")[2] for part in rest}
        found[first.partition("=")[0]] = flags
    return found


@pytest.mark.parametrize("way", ["/signup", "/api/signup"])
async def test_cookies_of_a_login_are_for_this_site_and_no_script(
    server: Server, visit: Visit, way: str
) -> None:
    answer = await visit().http.post(way, data={"name": "ada", "password": PASSWORD})
    cookies = cookies_of(answer.headers.get_list("set-cookie"))
    assert set(cookies) == {"qc_session", "qc_refresh"}
    for flags in cookies.values():
        assert "httponly" in flags
        assert flags["samesite"] in ("Lax", "Strict")
        assert "domain" not in flags
        assert "secure" not in flags, "on plain http the browser would not keep it"
    assert (cookies["qc_session"]["samesite"], cookies["qc_session"]["path"]) == ("Lax", "/")


async def test_behind_https_cookies_are_secure(start: Start, visit: Visit) -> None:
    server = await start(trusted_proxies=("127.0.0.1",))
    answer = await visit(at=server).http.post(
        "/signup",
        data={"name": "ada", "password": PASSWORD},
        headers={"X-Forwarded-Proto": "https"},
    )
    assert all("secure" in f for f in cookies_of(answer.headers.get_list("set-cookie")).values())
    assert "strict-transport-security" in answer.headers


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/login"),
        ("POST", "/signup"),
        ("POST", "/logout"),
        ("POST", "/profile"),
        ("POST", "/chats/new"),
        ("POST", "/chats/{chat}/messages"),
        ("POST", "/chats/{chat}/join"),
        ("POST", "/chats/{chat}/leave"),
        ("POST", "/chats/{chat}/add"),
        ("POST", "/chats/{chat}/people/{user}/remove"),
        ("POST", "/api/chats/{chat}/messages"),
        ("DELETE", "/api/chats/{chat}/members/me"),
        ("POST", "/api/login"),
        ("POST", "/api/logout"),
        ("POST", "/api/token/refresh"),
        ("POST", "/api/token/renew"),
        ("POST", "/api/ticket"),
        ("POST", "/poll"),
    ],
)
async def test_what_another_site_sends_with_our_cookies_is_refused(
    server: Server, visit: Visit, method: str, path: str
) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    chat = await ada.group(bob)
    before = await server.head()
    form = {"name": "x", "password": PASSWORD, "content": "evil", "user": "eve", "kind": "group"}
    data = None if method == "DELETE" else {**form, "title": "evil"}
    address = path.format(chat=chat, user=bob.user_id)
    for foreign in FOREIGN:
        answer = await visit(ada).http.request(method, address, data=data, headers=foreign)
        assert answer.status_code == 403, foreign
        assert not answer.headers.get_list("set-cookie")
        assert await server.head() == before
    assert (await ada.api("GET", "/me"))["name"] == "ada", "the login must live on"


async def test_what_another_site_asks_for_is_not_shown_to_its_scripts(
    server: Server, visit: Visit
) -> None:
    answer = await visit(await server.user()).get(
        "/api/chats", headers={"Origin": "https://evil.example"}
    )
    assert "access-control-allow-origin" not in answer.headers


async def test_a_configured_origin_may_send(start: Start, visit: Visit) -> None:
    server = await start(allowed_origins=("https://app.example",))
    ada = await server.user()
    chat = await ada.group()
    answer = await visit(ada, at=server).http.post(
        f"/api/chats/{chat}/messages",
        json={"content": "hi"},
        headers={"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"


async def test_a_page_whose_access_token_expired_renews_itself(
    server: Server, visit: Visit
) -> None:
    ada = await server.user()
    visitor = visit(ada)
    server.move_clock(3600)
    answer = await visitor.get("/c")
    assert answer.status_code == 200
    assert set(cookies_of(answer.headers.get_list("set-cookie"))) == {"qc_session", "qc_refresh"}
    again = await visitor.get("/c")
    assert (again.status_code, again.headers.get_list("set-cookie")) == (200, [])


async def test_a_message_written_while_the_token_expired_is_not_lost(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.users(2)
    chat = await ada.group(bob)
    visitor = visit(ada)
    form = (await visitor.page(f"/c/{chat}")).form(f"/c/{chat}/messages")
    server.move_clock(3600)
    page = await visitor.follow(await visitor.submit(form, content="written long ago"))
    assert page.messages() == ["written long ago"]


async def test_two_tabs_that_renew_at_once_both_stay_logged_in(
    server: Server, visit: Visit
) -> None:
    ada = await server.user()
    first, second = visit(ada), visit(ada)
    server.move_clock(3600)
    for visitor in (first, second, first, second):
        assert (await visitor.get("/c")).status_code == 200


async def test_a_login_that_was_ended_elsewhere_leads_to_the_login_page(
    server: Server, visit: Visit
) -> None:
    ada = await server.user()
    chat = await ada.group()
    await ada.api("POST", "/logout")
    for moved in (0, 3600):
        server.move_clock(moved)
        answer = await visit(ada).get(f"/c/{chat}?before=5")
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/login?next=%2Fc%2F{chat}%3Fbefore%3D5"
        assert not (await visit(ada).get("/api/me")).is_success


async def test_a_refresh_token_used_again_ends_the_login(server: Server, visit: Visit) -> None:
    ada = await server.user()
    token = {"refresh_token": ada.refresh_token}
    fresh = await visit().http.post("/api/token/refresh", json=token)
    assert fresh.status_code == 200
    assert (await visit().http.post("/api/token/refresh", json=token)).status_code == 401
    bearer = {"Authorization": f"Bearer {fresh.json()['access_token']}"}
    assert (await visit().get("/api/me", headers=bearer)).status_code == 401
