"""Texts, numbers and days are said in the language that is spoken; English is the key."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment
from support.translations import translated

from quartchat.errors import Invalid, NotFound
from quartchat.locale import texts
from quartchat.web.dates import clock, day, month, number, size, when
from quartchat.web.locale import LOCALES, Look, _, current, gettext, ngettext, show, speak, speaking
from quartchat.web.render import Renderer, js_texts

ROOT = Path(__file__).parents[2]
NOON = "2026-11-21T12:00:00Z"
RU = {
    "Delete": "Удалить",
    "{name} left": "{name} вышла",
    "%(name)s left": "%(name)s вышла",
    ("{n} message", "{n} messages"): ("{n} сообщение", "{n} сообщения", "{n} сообщений"),
    ("%(num)s day", "%(num)s days"): ("%(num)s день", "%(num)s дня", "%(num)s дней"),
    "There is nothing at this address.": "По этому адресу ничего нет.",
    "At most {most} names.": "Не больше {most} имён.",
    "a </script> b": "а </script> б",
}
UK = {
    "Delete": "Видалити",
    ("{n} message", "{n} messages"): ("{n} повідомлення", "{n} повідомлення", "{n} повідомлень"),
}


@pytest.fixture(autouse=True)
def own_texts(tmp_path: Path) -> Iterator[None]:
    with translated(tmp_path, RU, UK):
        yield


@pytest.mark.parametrize(
    ("code", "said"), [("en", "Delete"), ("ru", "Удалить"), ("uk", "Видалити")]
)
def test_a_text_is_said_in_the_language_that_is_spoken(code: str, said: str) -> None:
    with speaking(code):
        assert (_("Delete"), gettext("Delete"), current()) == (said, said, code)


def test_what_has_no_translation_stays_english() -> None:
    with speaking("uk"):
        assert _("{name} left", name="Ada") == "Ada left"
        assert _("") == ""


def test_an_unknown_language_is_english() -> None:
    with speaking("xx"):
        assert (current(), _("Delete")) == ("en", "Delete")


@pytest.mark.parametrize(
    ("code", "forms"),
    [
        ("en", {0: "messages", 1: "message", 2: "messages", 5: "messages", 21: "messages"}),
        ("ru", {0: "сообщений", 1: "сообщение", 2: "сообщения", 5: "сообщений", 21: "сообщение"}),
        (
            "uk",
            {1: "повідомлення", 2: "повідомлення", 5: "повідомлень", 11: "повідомлень"},
        ),
    ],
)
def test_the_form_goes_with_the_number(code: str, forms: dict[int, str]) -> None:
    with speaking(code):
        for n, word in forms.items():
            assert ngettext("{n} message", "{n} messages", n) == f"{n} {word}"


def test_the_real_catalogues_know_as_many_forms_as_the_languages_have() -> None:
    for code in ("ru", "uk"):
        with (ROOT / f"quartchat/locale/{code}.mo").open("rb") as file:
            rule = texts.GNUTranslations(file).plural  # type: ignore[attr-defined]
        assert [rule(n) for n in (1, 2, 5, 21)] == [0, 1, 2, 0]


def test_refusals_are_told_in_the_language_that_is_spoken() -> None:
    refusal = Invalid("At most {most} names.", most=3)
    with speaking("ru"):
        assert refusal.text(gettext) == "Не больше 3 имён."
        assert NotFound().text(gettext) == "По этому адресу ничего нет."
    assert refusal.message == refusal.text(gettext) == "At most 3 names."


async def test_tasks_that_run_side_by_side_speak_each_their_own() -> None:
    met = asyncio.Barrier(3)

    async def say(code: str) -> str:
        speak(code)
        await met.wait()
        return _("Delete")

    said = await asyncio.gather(*(say(code) for code in LOCALES))
    assert said == ["Delete", "Удалить", "Видалити"]
    assert current() == "en"


@pytest.mark.parametrize(
    ("code", "moment", "short", "whole"),
    [
        ("en", "21 Nov 2026, 12:00", "21 Nov 2026", "Saturday, 21 November 2026"),
        ("ru", "21 нояб. 2026, 12:00", "21 нояб. 2026", "суббота, 21 ноября 2026"),
        ("uk", "21 лист. 2026, 12:00", "21 лист. 2026", "субота, 21 листопада 2026"),
    ],
)
def test_moments_and_days_are_written_as_the_language_does(
    code: str, moment: str, short: str, whole: str
) -> None:
    with speaking(code):
        assert when(NOON) == (
            f'<time datetime="{NOON}" title="2026-11-21 12:00:00 UTC">{moment}</time>'
        )
        assert f">{short}<" in when(NOON, "day")
        assert day(NOON) == f'<time datetime="2026-11-21" title="2026-11-21 UTC">{whole}</time>'


def test_a_day_may_be_given_as_a_date_and_is_the_one_in_utc() -> None:
    assert day("2026-11-21") == day(date(2026, 11, 21)) == day("2026-11-22T01:00:00+02:00")
    assert day("<b>") == "&lt;b&gt;"
    assert day("0001-01-01T00:00:00+02:00") == "0001-01-01T00:00:00+02:00"


def test_numbers_are_grouped_as_the_language_does() -> None:
    assert number(12345) == "12,345"
    with speaking("ru"):
        assert number(12345) == "12\xa0345"


@pytest.mark.parametrize(
    ("bytes_", "shown"),
    [(999, "999 byte"), (1024, "1 kB"), (1536, "1.5 kB"), (25 * 2**20, "25 MB"), (2**40, "1 TB")],
)
def test_sizes_are_told_in_the_unit_that_fits(bytes_: int, shown: str) -> None:
    assert size(bytes_) == shown


def test_sizes_are_told_in_the_language_that_is_spoken() -> None:
    with speaking("ru"):
        assert size(25 * 2**20) == "25 МБ"


def test_months_are_named_in_the_language_that_is_spoken() -> None:
    assert month("2026-11-30T23:30:00Z") == '<time datetime="2026-11">November 2026</time>'
    with speaking("ru"):
        assert ">ноябрь 2026" in month("2026-11-02")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.3, "0:00"), (75.4, "1:15"), (59.6, "1:00"), (3725, "1:02:05")]
)
def test_lengths_are_told_as_on_a_player(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def page(tmp_path: Path, source: str) -> str:
    renderer = Renderer(ROOT / "templates", tmp_path, "x")
    env: Environment = renderer._env
    env.loader = DictLoader({"x.html": source})
    return renderer.page("x.html")


def test_templates_speak_the_language_and_fill_in_escaped(tmp_path: Path) -> None:
    source = """{{ _("Delete") }}|{{ _("%(name)s left", name="<b>") }}|
{{- ngettext("%(num)s day", "%(num)s days", 2) }}|{% trans %}Delete{% endtrans %}"""
    with speaking("ru"):
        assert page(tmp_path, source) == "Удалить|&lt;b&gt; вышла|2 дня|Удалить"
    assert page(tmp_path, source) == "Delete|&lt;b&gt; left|2 days|Delete"


def test_each_page_knows_its_language_direction_and_theme(tmp_path: Path) -> None:
    source = "{{ lang }} {{ dir }} {{ theme }} {{ look.language }}"
    show(Look("uk", "dark"))
    with speaking("uk"):
        assert page(tmp_path, source) == "uk ltr dark uk"
    show(Look())
    assert page(tmp_path, source).strip() == "en ltr"


def test_the_texts_for_scripts_cannot_leave_their_block() -> None:
    assert js_texts() == ""
    with speaking("ru"):
        block = js_texts()
    assert block.startswith('<script type="application/json" id="texts">{')
    inside = block.partition(">")[2].removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside)["a </script> b"] == "а </script> б"


def test_scripts_choose_the_same_forms() -> None:
    program = """
globalThis.document = {
  documentElement: { lang: process.argv[1] },
  getElementById: () => (process.argv[2] ? { textContent: process.argv[2] } : null),
};
const { t, tn } = await import(process.argv[3]);
const said = [1, 2, 5, 21].map((n) => tn("{n} message", "{n} messages", n));
said.push(t("{name} left", { name: "<Ada>" }), t("{hole} {n}", { n: 12345 }));
console.log(JSON.stringify(said));
"""
    source = b64encode((ROOT / "static/js/text.js").read_bytes()).decode()
    script = f"data:text/javascript;base64,{source}"
    for code, expected in {
        "en": ["1 message", "2 messages", "5 messages", "21 messages", "<Ada> left"],
        "ru": ["1 сообщение", "2 сообщения", "5 сообщений", "21 сообщение", "<Ada> вышла"],
        "uk": ["1 повідомлення", "2 повідомлення", "5 повідомлень", "21 повідомлення"],
    }.items():
        command = ["node", "--input-type=module", "-e", program]
        command += [code, texts.for_scripts(code), script]
        said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert said[: len(expected)] == expected
        assert said[-1] == {"en": "{hole} 12,345"}.get(code, "{hole} 12\xa0345")


def test_a_server_that_shows_no_page_does_without_babel(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from quartchat.app import create_app
from quartchat.config import Settings
create_app(Settings(data=Path(sys.argv[1])))
sys.exit("babel" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True, cwd=ROOT)


def test_the_form_of_the_look_shows_what_is_chosen(tmp_path: Path) -> None:
    renderer = Renderer(ROOT / "templates", tmp_path, "x")
    show(Look("uk", "dark", "/login?next=%2Fchats"))
    html = renderer.page("partials/look.html")
    show(Look())
    assert 'action="/settings/look"' in html
    assert 'value="/login?next=%2Fchats"' in html
    assert re.findall(r'value="(\w*)"[^>]* selected', html) == ["uk", "dark"]
    unchosen = renderer.page("partials/look.html")
    assert re.findall(r'value="(\w*)"[^>]* selected', unchosen) == ["", ""]
