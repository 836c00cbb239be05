"""A message's text: a few signs mean something, all else is shown as typed, and nothing runs."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quartchat.chat.markdown_links import MOST_MARKED
from quartchat.web.text import ATTRIBUTES, TAGS, body, plain

LONG = 8000
ALLOWED = {tag: ATTRIBUTES.get(tag, set()) for tag in TAGS}
ALLOWED["a"] = ALLOWED["a"] | {"rel", "target"}
LINK = ' target="_blank" rel="noopener noreferrer nofollow"'
SIGNS = st.text(alphabet="ab1é*_~`[]()<>&\\!#@-+. \t\n\"'=|:")
PIECES = st.lists(
    st.one_of(
        st.sampled_from(["*", "**", "_", "~~", "`", "```", "```py\n", "> ", "- ", "1. ", "07) "]),
        st.sampled_from(["[a](https://a.example/x)", "![i](http://b.example)", "http://c.example"]),
        st.sampled_from(["\n", "\n\n", " ", "    ", "\r\n", "\t", "[", "](", ")", "\\", "\\*"]),
        st.sampled_from(["@ada", "a", "B", "7", "# ", "<b>", "&amp;", "\u202e"]),
    )
).map("".join)
ANYTHING = st.one_of(st.text(), SIGNS, PIECES)
NASTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "*<b onclick=x>*",
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x) [x](//a.example) [x](/logout) [x](\\javascript:x)",
    "<javascript:alert(1)> <https://a.example/onclick=>",
    '[x](https://a.example/"onmouseover="alert(1))',
    '[x](https://a.example "onmouseover=alert(1)")',
    '![x" onerror="alert(1)](https://a.example/)',
    "https://a.example/\"onmouseover=alert(1)'",
    "https://a.example/<script>alert(1)</script>",
    '```"onclick=alert(1)\n<script>alert(1)</script>\n```',
    "```mention\nx\n```",
    "`</code><script>alert(1)</script>`",
    "> </blockquote></div><style>*{display:none}</style>",
    "- </ul><iframe srcdoc=x>",
    "<style>@import'x'</style> <a name=body id=me class=page>",
    "<!-- --> <![CDATA[ x ]]> <?php ?> <math><mtext><table><mglyph><style>",
    "&lt;script&gt; &amp;#x3C;",
    "{{ 7*7 }} {% raw %}",
]


class Read(HTMLParser):
    """Tags with their attributes, the text as a reader sees it, and all that was typed: the
    numbers of items, the languages of code and the addresses behind labels too."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = self.typed = ""
        self._open: list[tuple[str, str]] = []
        self.feed(str(html))
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "br":
            self.text += "\n"
            return
        self.typed += found.get("value") or (found.get("class") or "").partition("-")[2]
        label = tag == "a" and "dir" not in found
        self._open.append((tag, found.get("href") or "" if label else ""))

    def handle_endtag(self, tag: str) -> None:
        opened, href = self._open.pop()
        assert opened == tag
        self.typed += "" if href and self.text.endswith(href) else href

    def handle_data(self, data: str) -> None:
        self.text += data
        self.typed += data

    def links(self) -> list[str | None]:
        return [attrs.get("href") for tag, attrs in self.tags if tag == "a"]


def letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum()).lower()


def long(piece: str) -> str:
    return (piece * LONG)[:LONG]


@settings(deadline=None)
@given(ANYTHING)
def test_a_body_holds_only_the_allowed_tags_and_attributes(content: str) -> None:
    html = body(content, ["u1"])
    assert "\n" not in html
    for tag, attrs in Read(html).tags:
        assert set(attrs) <= ALLOWED[tag]
        assert re.fullmatch(r"(mention|language-[a-z0-9+#.-]+)?", attrs.get("class") or "")


@settings(deadline=None)
@given(ANYTHING)
def test_no_letter_and_no_digit_of_what_was_typed_is_lost(content: str) -> None:
    assert letters(Read(body(content, ["u1"])).typed) == letters(content)


@settings(deadline=None)
@given(ANYTHING)
def test_the_plain_text_is_one_line_without_edges(content: str) -> None:
    assert plain(content) == " ".join(plain(content).split())


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=("L", "N", "Zs"), include_characters=".,;:!?()")))
def test_text_without_signs_reads_as_it_was_written(content: str) -> None:
    assert Read(body(content)).text == content


@settings(deadline=None)
@given(st.lists(st.sampled_from([*NASTY, "*", "`", "> ", "\n", " ", '"', "'"])).map("".join))
def test_hostile_pieces_in_any_order_run_nothing(content: str) -> None:
    read = Read(body(content, ["u1"]))
    assert all(set(attrs) <= ALLOWED[tag] for tag, attrs in read.tags)
    assert all(str(href).lower().startswith(("http://", "https://")) for href in read.links())


@pytest.mark.parametrize("nasty", NASTY)
def test_what_looks_like_html_is_shown_and_never_an_element(nasty: str) -> None:
    read = Read(body(nasty))
    assert letters(read.typed) == letters(nasty)
    assert all(set(attrs) <= ALLOWED[tag] for tag, attrs in read.tags)
    assert not any((attrs.get("class") or "") == "mention" for _, attrs in read.tags)


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("*a* _b_ **c** ~~d~~", "<em>a</em> <em>b</em> <strong>c</strong> <s>d</s>"),
        ("***a***, (*b*) *c*!", "<em><strong>a</strong></em>, (<em>b</em>) <em>c</em>!"),
        ("*a\nb*", "<em>a<br>b</em>"),
        ("这是**重点**内容", "这是<strong>重点</strong>内容"),
        ("`a * b *` ``c`d``", "<code>a * b *</code> <code>c`d</code>"),
        ("```\na\n  <b>\n```", '<pre tabindex="0"><code>a&#10;  &lt;b&gt;&#10;</code></pre>'),
        ("```Py\nx\n```\ny", '<pre tabindex="0"><code class="language-py">x&#10;</code></pre>y'),
        ("```\nnever closed", '<pre tabindex="0"><code>never closed</code></pre>'),
        ("```\na\nb``` c", "<code>a<br>b</code> c"),
        ("> a\n> > b\nc", "<blockquote>a<blockquote>b</blockquote></blockquote>c"),
        ("x\n- a\n  - b\n* c", "x<ul><li>a<ul><li>b</li></ul></li></ul><ul><li>c</li></ul>"),
        ("2. a\n5. b\nc", '<ol><li value="2">a</li><li value="5">b</li></ol>c'),
        ("- a\n\n  b\n- c", "<ul><li>a<br><br>b</li><li>c</li></ul>"),
        ("[a *b*](https://c.example)", f'<a href="https://c.example"{LINK}>a <em>b</em></a>'),
        ("![a](https://c.example/d_(e))", f'<a href="https://c.example/d_(e)"{LINK}>a</a>'),
        ("![](http://c.example)", f'<a href="http://c.example"{LINK}>http://c.example</a>'),
        (r"\*a\* \**b*", "*a* *<em>b</em>"),
        (r"\> a" + "\n" + r"\- b", "&gt; a<br>- b"),
        ("a\r\nb\nc\rd\n\n\ne", "a<br>b<br>c<br>d<br><br><br>e"),
        ("*a*\r\n\r\n\r\nb", "<em>a</em><br><br><br>b"),
        ("", ""),
        ("\n \n", " "),
        ("*a*\x00\x1b\x7f", "<em>a</em>"),
    ],
)
def test_signs_mean_what_people_expect(content: str, html: str) -> None:
    assert body(content) == html


@pytest.mark.parametrize(
    "content",
    [
        *["2 * 3 * 4", "2*3*4 2**3**4", "f(a*b)*(c*d)", "SELECT *, count(*)", "*.py and *.js *.*"],
        *[
            "snake_case_name",
            "__init__.py and __main__",
            "_",
            "**",
            "****",
            "~~~~",
            "~/file~",
            "~~",
        ],
        *[":-) :* ;-*", "-_- or -_-", "*_* ^_^ >_<", r"¯\_(ツ)_/¯", ">:( >.<", "T_T o_O"],
        *["C:\\path\\", r"C:\*.txt and \*.md", r"\\server\share", r"\d+\.\d*", "\\"],
        *["1. ", "> ", "--- ", "- ", "* * *", "- - -", "25. 12. 2024", "007. Bond", "+ 1", "+1"],
        *["<b>", "&amp; &lt; &#65;", "# tea", "#tea", "## a\n#b", "title\n===", "a\n---", "***"],
        *["|a|b|\n|-|-|\n|1|2|", "[a]: /b", "[a][b] [c]", "[x](y.z)", "~~~\na\n~~~", "a ` b"],
        *["    def f():\n        return 1", "\tx\n\ty", "a\n      - b", "  two  spaces  ", "```a"],
        *[
            "[https://a.example](https://b.example)",
            "[ www.a.example](https://b.example)",
            "<a@b.c>",
        ],
        *["me@example.org", "@ada_l. @b-c"],
    ],
)
def test_what_people_type_without_meaning_a_sign_stays_as_typed(content: str) -> None:
    assert Read(body(content, ["u1"])).text == content
    assert {tag for tag, _ in Read(body(content)).tags} <= {"br", "a"}


@pytest.mark.parametrize(
    ("content", "links"),
    [
        ("see https://example.org/a_(b).", ["https://example.org/a_(b)"]),
        ("(https://example.org/x)", ["https://example.org/x"]),
        ("HTTPS://EXAMPLE.ORG/?a=1&b=2", ["HTTPS://EXAMPLE.ORG/?a=1&b=2"]),
        ('"https://example.org/"onclick=x', ["https://example.org/"]),
        ("https:// http://[ http://?", []),
        ("javascript:alert(1) ftp://a.b data:text/html,x", []),
        ("xhttps://example.org", []),
        ("https://a.example\nhttp://b.example", ["https://a.example", "http://b.example"]),
        ("**https://a.example/b_c_d*e**", ["https://a.example/b_c_d*e"]),
        ("`https://a.example`", []),
        ("[a](HTTP://b.example) [c](ftp://d.example)", ["HTTP://b.example"]),
        ("[https://a.example](https://a.example)", ["https://a.example"]),
        ("https://a.example/?x=&amp;y=%41", ["https://a.example/?x=&amp;y=%41"]),
        ("https://example.org/\u202emoc.live", ["https://example.org/"]),
        ("[a](https://b.example/\u202ec)", ["https://b.example/"]),
    ],
)
def test_only_whole_web_addresses_become_links(content: str, links: list[str]) -> None:
    assert Read(body(content)).links() == links


@pytest.mark.parametrize("content", ["https://example.org", "[x](https://example.org)"])
def test_links_tell_the_other_site_nothing_and_leave_the_frame(content: str) -> None:
    (_, link), *_ = Read(body(content)).tags
    assert link["rel"] == "noopener noreferrer nofollow"
    assert link["target"] == "_blank"
    assert link.get("dir") == ("ltr" if content.startswith("h") else None)


def test_a_label_that_names_another_address_leads_nowhere_else() -> None:
    links = Read(body("[https://bank.example](https://evil.example)")).links()
    assert links == ["https://bank.example", "https://evil.example"]


def test_mentions_are_marked_only_where_somebody_was_mentioned() -> None:
    assert '<b class="mention">@ada</b>' in body("hi @ada.", ["u1"])
    assert "<b" not in body("hi @ada *now*")
    assert "<b" not in body("me@example.org", ["u1"])


def test_mentions_are_marked_inside_of_emphasis_but_not_in_code_and_links() -> None:
    assert body("*@ada*", ["u1"]) == '<em><b class="mention">@ada</b></em>'
    assert "mention" not in body("`@ada` [@ada](http://a.example)\n```\n@ada\n```", ["u1"])


def test_half_of_a_surrogate_pair_is_shown_as_a_replacement() -> None:
    assert body("*a*\ud83d") == "<em>a</em>\ufffd"
    assert plain("*a*\ud83d") == "a\ufffd"


@pytest.mark.parametrize(
    "piece",
    [
        *[
            "*",
            "_",
            "~",
            "`",
            "[",
            "]",
            "(",
            "![",
            "![[[[",
            ">",
            "> ",
            "- ",
            "1. ",
            "\\",
            "\\*",
            "<",
        ],
        *[
            "&",
            "\n",
            "\t",
            "_*",
            "*a ",
            " *a",
            "**a** ",
            "~~*_a_*~~ ",
            "@a ",
            "@a.",
            "`a` ",
            "a\n\n",
        ],
        *[
            "> a\n",
            ">>> a\n",
            "- a\n",
            "1. a\n",
            "- > a\n",
            "> - > - > - a\n",
            "* a\n- a\n",
            "```a\n",
        ],
        *[
            "http://",
            "http://a ",
            "http://)",
            "[a](http://x",
            "[a](http://",
            "[a](http://x/()",
            "](",
        ],
        *[
            "[a](http://x) ",
            "![a](http://x)\n",
            "- a\n  - b\n    - c\n      - d\n",
            "    a\n",
            "```\n",
        ],
    ],
)
def test_no_text_becomes_many_times_its_size_or_deep(piece: str) -> None:
    html = body(long(piece), ["u1"])
    assert len(html) <= LONG * 5 + MOST_MARKED * 120
    assert letters(Read(html).typed) == letters(long(piece))
    assert len(plain(long(piece))) <= LONG


@pytest.mark.parametrize(
    "content",
    [
        " ".join("`" * length for length in range(1, 126)),
        "\n".join("> " * depth + "a" for depth in range(1, 85)),
        "\n".join("  " * depth + "- a" for depth in range(1, 85)),
        ">" * 7990 + " a",
        "*a **b " * 1000,
        "[*a " * 1000 + "*](http://x)" * 300,
    ],
)
def test_things_inside_of_things_are_bounded(content: str) -> None:
    read = Read(body(content, ["u1"]))
    assert letters(read.typed) == letters(content)
    assert sum(tag not in ("br", "li") for tag, _ in read.tags) <= MOST_MARKED


def test_the_marked_things_of_a_message_are_counted() -> None:
    html = body("@a " * 150 + "*b* " * 150, ["u1"])
    assert html.count("<b ") == 150
    assert html.count("<em>") == (MOST_MARKED - 150) // 2


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("**hi** [x](http://y)", "hi x"),
        ("a\n\nb  c", "a b c"),
        ("> a\n\n- b\n- c\n\n3. d", "a b c 3. d"),
        ("```py\nx = 1\n```\n`y`", "x = 1 y"),
        ("![cat](https://a.example) https://b.example @ada", "cat https://b.example @ada"),
        ("2 * 3 * 4 <b> &amp;", "2 * 3 * 4 <b> &amp;"),
        (r"\*a\*", "*a*"),
        ("", ""),
        (" \n ", ""),
        ("---", "---"),
    ],
)
def test_the_plain_text_has_no_signs(content: str, line: str) -> None:
    assert plain(content) == line
