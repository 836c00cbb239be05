"""A browser without scripts: cookies, pages as trees, forms filled in and sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx
from support.readers import PATIENCE, TLS
from support.server import Person, Server

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"}
)


@dataclass
class Node:
    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    kids: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        for kid in self.kids:
            if isinstance(kid, Node):
                yield kid
                yield from kid.walk()

    def all(self, tag: str, **attrs: str) -> list[Node]:
        """Elements below with these attributes; `class_` matches one of the classes."""
        return [node for node in self.walk() if node.tag == tag and node.matches(attrs)]

    def matches(self, attrs: dict[str, str]) -> bool:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
        classes = self.attrs.get("class", "").split()
        return all(
            value in classes if name == "class" else self.attrs.get(name) == value
            for name, value in wanted.items()
        )

    def one(self, tag: str, **attrs: str) -> Node:
        found = self.all(tag, **attrs)
        assert len(found) == 1, f"{len(found)} of <{tag} {attrs}> in: {self.text}"
        return found[0]

    def by_id(self, id_: str) -> Node:
        found = [node for node in self.walk() if node.attrs.get("id") == id_]
        assert len(found) == 1, f"{len(found)} with id {id_!r}"
        return found[0]

    @property
    def raw(self) -> str:
        return "".join(kid if isinstance(kid, str) else kid.raw for kid in self.kids)

    @property
    def text(self) -> str:
        return " ".join(self.raw.split())

    def form(self, action: str) -> Node:
        found = [node for node in self.all("form") if node.attrs.get("action") == action]
        assert found, f"no form for {action}, but {[n.attrs for n in self.all('form')]}"
        return found[0]

    def fields(self) -> dict[str, str]:
        """What a browser would send of this form, left as it is."""
        values = {}
        for node in self.walk():
            name, kind = node.attrs.get("name"), node.attrs.get("type", "text")
            if name and node.tag == "textarea":
                values[name] = node.raw.removeprefix("\n")
            ticked = kind not in ("checkbox", "radio") or "checked" in node.attrs
            if name and node.tag == "input" and ticked:
                values[name] = node.attrs.get("value", "")
        return values

    def error_at(self, name: str) -> str:
        """The text of the error that is tied to the field with this name."""
        control = next(node for node in self.walk() if node.attrs.get("name") == name)
        assert control.attrs.get("aria-invalid") == "true", f"{name} is not marked as wrong"
        ids = control.attrs.get("aria-describedby", "").split()
        return " ".join(self.by_id(id_).text for id_ in ids if id_.endswith("-error"))

    def messages(self) -> list[str]:
        """The texts of the messages that the page shows, oldest first."""
        return [node.one("div", class_="body").text for node in self.all("li", class_="msg")]

    def shown_ids(self) -> list[int]:
        nodes = self.all("li")
        said = [n for n in nodes if "msg" in n.attrs.get("class", "").split()]
        return [int(n.attrs["data-event-id"]) for n in said]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("#document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].kids.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].kids.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self.open) - 1, 0, -1):
            if self.open[index].tag == tag:
                del self.open[index:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].kids.append(data)


def parse(html: str) -> Node:
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.open[0]


class Visitor:
    """One browser's cookies. `person`: is logged in already."""

    def __init__(self, server: Server, person: Person | None = None) -> None:
        self.http = httpx.AsyncClient(base_url=server.url, timeout=PATIENCE, verify=TLS)
        if person:
            host = self.http.base_url.host
            self.http.cookies.set("qc_session", person.token, domain=host)
            self.http.cookies.set("qc_refresh", person.refresh_token, domain=host)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(path, **more)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.http.post(path, data=fields)

    async def page(self, path: str, status: int = 200) -> Node:
        return page_of(await self.get(path), status)

    async def submit(self, form: Node, **values: str) -> httpx.Response:
        return await self.post(form.attrs["action"], **{**form.fields(), **values})

    async def follow(self, response: httpx.Response) -> Node:
        """The page that a redirect after a form leads to."""
        assert response.status_code == 303, f"{response.status_code}: {response.text[:300]}"
        return await self.page(response.headers["location"])

    async def send(self, chat_id: str, content: str, **more: str) -> httpx.Response:
        page = await self.page(f"/c/{chat_id}")
        return await self.submit(page.form(f"/c/{chat_id}/messages"), content=content, **more)


def page_of(response: httpx.Response, status: int = 200) -> Node:
    assert response.status_code == status, f"{response.status_code}: {response.text[:300]}"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return parse(response.text)


Start = Callable[..., Awaitable[Server]]
Visit = Callable[..., Visitor]
