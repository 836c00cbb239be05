"""The style sheets keep their promises: readable in both themes, right-to-left ready."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).parent.parent.parent / "static" / "css"
SHEETS = sorted(CSS.glob("*.css"))
TOKENS = (CSS / "tokens.css").read_text(encoding="utf-8")
PHYSICAL = re.compile(
    r"(?:^|[;{])\s*((?:(?:margin|padding|border)-)?(?:left|right|top|bottom)(?:-[a-z-]+)?"
    r"|(?:min-|max-)?(?:width|height)|float|border-(?:top|bottom)-(?:left|right)-radius)\s*:",
    re.MULTILINE,
)
# (text, ground): what stands on what, as words or as signs.
WORDS = [
    ("ink", "ground"),
    ("ink", "paper"),
    ("ink", "raised"),
    ("ink", "sunken"),
    ("ink", "own"),
    ("ink", "theirs"),
    ("ink", "mark"),
    ("ink", "accent-soft"),
    ("ink-soft", "ground"),
    ("ink-soft", "paper"),
    ("ink-soft", "raised"),
    ("ink-soft", "sunken"),
    ("ink-soft", "accent-soft"),
    ("accent", "ground"),
    ("accent", "paper"),
    ("accent", "raised"),
    ("accent-strong", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-badge", "badge"),
    ("bad", "ground"),
    ("bad", "paper"),
    ("bad", "raised"),
    ("ink", "bad-soft"),
    ("raised", "bad"),
]
SIGNS = [("line-strong", "ground"), ("line-strong", "paper"), ("line-strong", "raised")]
SIGNS += [("accent", "ground"), ("online", "paper"), ("badge", "ground")]


def colours(rule: str) -> dict[str, str]:
    """The tokens of a rule that are colours: name -> #rrggbb."""
    body = TOKENS.split(rule, 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body))


LIGHT = colours(":root {")
BY_SYSTEM = colours(':root:not([data-theme="light"]) {')
BY_CHOICE = colours(':root[data-theme="dark"] {')


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_what_has_a_side_follows_the_direction_of_the_script(sheet: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert PHYSICAL.findall(text) == []


def test_dark_is_the_same_by_the_system_and_by_choice() -> None:
    assert BY_SYSTEM == BY_CHOICE
    assert BY_SYSTEM.keys() == LIGHT.keys()


@pytest.mark.parametrize("theme", [LIGHT, BY_CHOICE], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), WORDS)
def test_words_can_be_read(theme: dict[str, str], text: str, ground: str) -> None:
    assert contrast(theme[text], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, BY_CHOICE], ids=["light", "dark"])
@pytest.mark.parametrize(("sign", "ground"), SIGNS)
def test_signs_can_be_seen(theme: dict[str, str], sign: str, ground: str) -> None:
    assert contrast(theme[sign], theme[ground]) >= 3
