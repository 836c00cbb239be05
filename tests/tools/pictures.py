"""Pictures of every page, light and dark, wide and narrow, with scripts and without:

    .ci/pictures FOLDER [--only chat,search] [--lang uk]

One PNG a picture, named page.theme.width[.noscript].png, and an index.html that shows them all.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
from support.server import running
from support.story import Story, tell
from windows import chromium

from quartchat.store.upgrade import upgrade

WIDTHS = {320: 640, 768: 1024, 1280: 800}
THEMES = ("light", "dark")
BIG = 2  # pixels of the picture per pixel of the page


def pages(story: Story) -> dict[str, str]:
    """Name -> address, of every page there is, as ada sees it."""
    chat = f"/chats/{story.room}"
    other = story.people["olena"].user_id
    return {
        "chats": "/chats",
        "archived": "/chats?archived=1",
        "new-chat": "/chats/new",
        "chat": chat,
        "chat-direct": f"/chats/{story.direct}",
        "chat-empty": f"/chats/{story.empty}",
        "chat-focus": f"{chat}?focus={story.asked}#m{story.asked}",
        "chat-about": f"{chat}/about",
        "message": f"{chat}/messages/{story.asked}",
        "people": "/people",
        "person": f"/people/{other}",
        "friends": "/friends",
        "notifications": "/notifications",
        "search": "/search",
        "search-found": "/search?q=kettle",
        "search-empty": "/search?q=nothinglikethis",
        "rooms": "/rooms",
        "profile": "/profile",
        "settings": "/settings",
        "admin": "/admin",
        "admin-users": "/admin/users",
        "admin-chats": "/admin/chats",
        "admin-connections": "/admin/connections",
        "invite": f"/invite/{story.invite}",
        "not-found": "/nothing/here",
    }


DOORS = {"login": "/login", "signup": "/signup", "doctor": "/doctor"}


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--only", default="", help="Names of pages, with commas between them.")
@click.option("--lang", default="en", help="Language of the pages.")
@click.option("--theme", "themes", multiple=True, type=click.Choice(THEMES), help="Only this one.")
@click.option("--width", "widths", multiple=True, type=int, help="Only this one.")
@click.option("--scripts/--no-scripts", default=None, help="Only with, or only without scripts.")
def main(
    folder: Path,
    only: str,
    lang: str,
    themes: tuple[str, ...],
    widths: tuple[int, ...],
    scripts: bool | None,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    looks = [
        (theme, width, on)
        for theme in themes or THEMES
        for width in widths or WIDTHS
        for on in ((True, False) if scripts is None else (scripts,))
    ]
    made = asyncio.run(take(folder, set(filter(None, only.split(","))), lang, looks))
    (folder / "index.html").write_text(index(made), encoding="utf-8")
    click.echo(f"{len(made)} pictures; see {folder / 'index.html'}")


async def take(
    folder: Path, only: set[str], lang: str, shots: list[tuple[str, int, bool]]
) -> list[str]:
    made: list[str] = []
    with tempfile.TemporaryDirectory() as data:
        upgrade(f"sqlite:///{data}/quartchat.db")
        async with running(Path(data), site_name="Tea room site") as server, chromium() as browser:
            story = await tell(server)
            wanted = {n: p for n, p in (pages(story) | DOORS).items() if not only or n in only}
            with click.progressbar(shots, label="Taking pictures", file=sys.stderr) as looks:
                for theme, width, scripts in looks:
                    made += await round_(
                        browser, story, folder, wanted, lang, theme, width, scripts
                    )
    return sorted(made)


async def round_(
    browser: Any,
    story: Story,
    folder: Path,
    wanted: dict[str, str],
    lang: str,
    theme: str,
    width: int,
    scripts: bool,
) -> list[str]:
    """One window through all pages; the doors are seen by nobody in particular."""
    made = []
    size = {"width": width, "height": WIDTHS.get(width, 900)}
    for inside in (True, False):
        context = await browser.new_context(
            viewport=size,
            device_scale_factor=BIG,
            color_scheme=theme,
            java_script_enabled=scripts,
            locale=lang,
            reduced_motion="reduce",
        )
        if inside:
            keys = {"qc_session": story.ada.token, "qc_refresh": story.ada.refresh_token}
            url = story.server.url
            await context.add_cookies(
                [{"name": n, "value": v, "url": url} for n, v in keys.items()]
            )
        page = await context.new_page()
        for name, path in wanted.items():
            if (name in DOORS) == inside:
                continue
            await page.goto(story.server.url + path, wait_until="domcontentloaded")
            await settled(page, scripts)
            file = f"{name}.{theme}.{width}{'' if scripts else '.noscript'}.png"
            await page.screenshot(path=folder / file)
            made.append(file)
        await context.close()
    return made


async def settled(page: Any, scripts: bool) -> None:
    """The styles are there; with scripts, the page is live, if it is one that gets there."""
    await page.wait_for_load_state("load" if scripts else "domcontentloaded")
    if scripts and await page.locator("#state").count():
        await page.locator("#state[data-state=live]").first.wait_for(timeout=10_000)
    elif not scripts and await page.locator("iframe.live-frame").count():
        outer = page.frame_locator("iframe.live-frame")
        await outer.frame_locator("iframe.live-frame").locator(".timeline").wait_for()


def index(files: list[str]) -> str:
    shown = "".join(
        f'<figure><img src="{f}" loading="lazy"><figcaption>{f}</figure>' for f in files
    )
    style = "body{display:flex;flex-wrap:wrap;gap:1em;font:12px sans-serif}img{max-width:420px}"
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{shown}"


if __name__ == "__main__":
    main()
