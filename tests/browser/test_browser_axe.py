"""No page holds people back: axe-core finds nothing serious, light or dark, and nothing is cut
off on a small phone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from places import INSIDE, OUTSIDE, furnish
from playwright.async_api import expect
from support.server import Person, Server
from windows import Window

Open = Callable[..., Awaitable[Window]]
AXE = Path(__file__).parent.parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.html} ${n.failureSummary}`));
}"""
NARROW, WIDE = {"width": 390, "height": 700}, {"width": 1280, "height": 800}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": WIDE},
    "dark": {"color_scheme": "dark", "viewport": NARROW},
}
TOO_WIDE = "Math.max(0, document.scrollingElement.scrollWidth - innerWidth)"
CUT = """() => [...document.querySelectorAll("main :is(a, button, input, select, textarea, h1)")]
  .filter((e) => {
    const box = e.getBoundingClientRect();
    const cut = box.right > innerWidth + 1 || box.left < -1;
    return cut && e.checkVisibility() && !e.closest(".unseen, .scroll, .tabs, h1 *");
  }).map((e) => e.outerHTML.slice(0, 120))"""


@pytest.fixture
async def ada(server: Server) -> Person:
    return await server.user("ada")


@pytest.fixture
async def paths(server: Server, ada: Person) -> dict[str, str]:
    ids = await furnish(server, ada)
    return {name: path.format(**ids) for name, path in INSIDE.items()}


async def shown(window: Window, path: str) -> None:
    await window.go(path)
    await expect(window.page.locator("h1").first).to_be_visible()


async def findings(window: Window, path: str) -> list[str]:
    await shown(window, path)
    # As a debugger would: the content policy lets no script of others in.
    await window.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    return list(await window.page.evaluate(RUN))


@pytest.mark.skipif(not AXE.exists(), reason="npm install --prefix tests/node")
@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_serious_on_the_pages_of_a_member(
    window: Open, ada: Person, paths: dict[str, str], look: str
) -> None:
    hers = await window(ada, reduced_motion="reduce", **LOOKS[look])
    found = {name: await findings(hers, path) for name, path in paths.items()}
    assert {name: some for name, some in found.items() if some} == {}


@pytest.mark.skipif(not AXE.exists(), reason="npm install --prefix tests/node")
@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_serious_on_the_pages_of_strangers(window: Open, look: str) -> None:
    theirs = await window(reduced_motion="reduce", **LOOKS[look])
    found = {name: await findings(theirs, path) for name, path in OUTSIDE.items()}
    assert {name: some for name, some in found.items() if some} == {}


@pytest.mark.parametrize("scripts", [True, False])
async def test_nothing_is_cut_off_on_a_small_phone(
    window: Open, ada: Person, paths: dict[str, str], scripts: bool
) -> None:
    hers = await window(ada, scripts=scripts, viewport={"width": 320, "height": 600})
    found = {}
    for name, path in paths.items():
        await shown(hers, path)
        found[name] = [await hers.page.evaluate(TOO_WIDE), *await hers.page.evaluate(CUT)]
    assert {name: some for name, some in found.items() if some != [0]} == {}
