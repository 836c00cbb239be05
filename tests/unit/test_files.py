"""The files of `static/` under addresses that tell what they hold."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import pytest

from quartchat.paths import folder
from quartchat.web.files import File, Files

NEUTRAL = re.compile(r"/s/[0-9a-f]{16}\.[a-z0-9]+")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in {
        "js/page.js": 'import { a } from "./part/a.js";\nimport "./b.js";\n',
        "js/b.js": 'export * from "./part/a.js";\n',
        "js/part/a.js": 'import "../b.js";\nnew URL("./worker.js", import.meta.url);\n',
        "js/part/worker.js": 'import("../b.js");\nconst no = "./nothing.js";\n',
        "css/x.css": "a { background: url(../img/i.svg) }",
        "img/i.svg": "<svg/>",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def served(files: Files, url: str) -> File:
    found = files.at(url.removeprefix("/s/"))
    assert found is not None
    return found


def test_a_file_is_served_where_its_address_says(site: Path) -> None:
    files = Files(site)
    assert NEUTRAL.fullmatch(files.url("js/page.js"))
    assert served(files, files.url("img/i.svg")).content == b"<svg/>"
    assert files.at("0" * 16 + ".js") is None


def test_what_a_file_refers_to_is_named_by_its_address(site: Path) -> None:
    files = Files(site)
    texts = {
        n: served(files, files.url(n)).content.decode() for n in ("js/page.js", "js/part/a.js")
    }
    at = {name: "." + files.url(name).removeprefix("/s") for name in ("js/b.js", "js/part/a.js")}
    assert (
        texts["js/page.js"]
        == f'import {{ a }} from "{at["js/part/a.js"]}";\nimport "{at["js/b.js"]}";\n'
    )
    worker = "." + files.url("js/part/worker.js").removeprefix("/s")
    assert f'new URL("{worker}", import.meta.url)' in texts["js/part/a.js"]
    assert b'"./nothing.js"' in served(files, files.url("js/part/worker.js")).content
    sheet = served(files, files.url("css/x.css")).content.decode()
    assert posixpath.basename(files.url("img/i.svg")) in sheet


def test_an_address_changes_with_all_that_a_file_needs_and_with_nothing_else(site: Path) -> None:
    before = Files(site)
    (site / "js/part/worker.js").write_text("1;\n")
    after = Files(site)
    changed = {"js/page.js", "js/b.js", "js/part/a.js", "js/part/worker.js"}
    for name in (*changed, "css/x.css", "img/i.svg"):
        assert (before.url(name) != after.url(name)) == (name in changed), name


def test_the_script_of_a_page_names_all_modules_that_it_needs_and_no_worker(site: Path) -> None:
    (site / "js/page.js").write_text('import "./b.js";\n')
    files = Files(site, ["js/page.js"])
    b, a = ("." + files.url(name).removeprefix("/s") for name in ("js/b.js", "js/part/a.js"))
    lines = served(files, files.url("js/page.js")).content.decode().splitlines()
    assert lines == [f'import "{b}";', f'import "{a}";']


def test_equal_files_of_two_names_have_two_addresses(tmp_path: Path) -> None:
    for name in ("a.js", "b.js"):
        (tmp_path / name).write_text("1;")
    assert Files(tmp_path).url("a.js") != Files(tmp_path).url("b.js")


def test_each_relative_address_in_our_own_files_leads_to_one_of_them() -> None:
    names = {path.relative_to(folder("static")).as_posix() for path in folder("static").rglob("*")}
    for name in sorted(names):
        if not name.endswith((".js", ".css")):
            continue
        text = (folder("static") / name).read_text(encoding="utf-8")
        for reference in re.findall(r"""["'(`](\.{1,2}/[^"'()`\s]+\.\w+)["')`]""", text):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), reference))
            assert target in names, f"{name}: {reference}"
