"""Every text of the interface has its translation, and what is compiled is what was written."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from support import catalogues
from support.catalogues import CODES, Mixed

from quartchat.locale.texts import FOLDER

HOLE = re.compile(r"%\((\w+)\)[a-z]|\{(\w+)[^{}]*\}|(</?[a-z][^>]*>)")
AGAIN = "run: python tests/support/catalogues.py"


@pytest.fixture(scope="module")
def sources() -> tuple[Catalog, list[str]]:
    return catalogues.template()


@pytest.fixture(params=CODES)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return catalogues.read(request.param)


def texts(catalog: Catalog) -> dict[Any, Message]:
    """All but the heading, by their English."""
    found = (message for message in catalog if message.id)
    return {tuple(m.id) if m.pluralizable else m.id: m for m in found}


def strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if message.pluralizable else (message.string,)


def said(catalog: Catalog) -> dict[Any, tuple[str, ...]]:
    return {id_: strings(message) for id_, message in texts(catalog).items()}


def holes(text: str) -> set[str]:
    """What is filled in, and the tags."""
    return {"".join(found.groups("")) for found in HOLE.finditer(text)}


def test_no_text_is_put_together_when_the_program_runs(sources: tuple[Catalog, list[str]]) -> None:
    assert sources[1] == []


def test_each_text_of_the_sources_is_in_the_catalogues_and_no_other(
    sources: tuple[Catalog, list[str]], catalog: Catalog
) -> None:
    wanted, there = texts(sources[0]), texts(catalog)
    assert wanted.keys() - there.keys() == set(), AGAIN
    assert there.keys() - wanted.keys() == set(), AGAIN


def test_each_text_is_translated_in_all_its_forms(catalog: Catalog) -> None:
    missing = [id_ for id_, message in texts(catalog).items() if not all(strings(message))]
    doubtful = [id_ for id_, message in texts(catalog).items() if message.fuzzy]
    few = [
        id_
        for id_, message in texts(catalog).items()
        if message.pluralizable and len(message.string) != catalog.num_plurals
    ]
    assert (missing, doubtful, few) == ([], [], [])


def test_a_translation_fills_in_what_the_text_does(catalog: Catalog) -> None:
    for id_, message in texts(catalog).items():
        wanted = holes(id_[1] if message.pluralizable else id_)
        for string in filter(None, strings(message)):
            assert holes(string) == wanted, (id_, string)


@pytest.mark.parametrize("code", CODES)
def test_what_is_compiled_is_what_is_written(code: str) -> None:
    catalog = catalogues.read(code)
    with (FOLDER / f"{code}.mo").open("rb") as file:
        there, wanted = read_mo(file), read_mo(BytesIO(catalogues.compiled(catalog)))
    assert there.plural_expr == wanted.plural_expr
    assert said(there) == said(wanted), AGAIN
    written = (FOLDER / f"{code}.json").read_text(encoding="utf-8")
    assert written == catalogues.for_scripts(catalog), AGAIN
    assert "<" not in written


def test_texts_are_found_in_python() -> None:
    source = """
class NotFound(ChatError):
    message = "A"
def work():
    raise Invalid("B {n}" if x else "C", field="no", n=1)
    raise Invalid(f"D {n}")
    _("E"); ngettext("F", "Fs", n); _(SOME_TEXT); print("no")
TEXT = later("G")
"""
    found = sorted((text for _, text in catalogues.texts_in_python(source)), key=str)
    assert found == [("F", "Fs"), "A", "B {n}", "C", "E", "G", Mixed("f'D {n}'")]


def test_texts_are_found_in_templates() -> None:
    source = """
{{ _("A %(x)s", x=1) }} {{ ngettext("B", "Bs", n) }} {{ _(unknown) }}
{% trans name=me %}
  C {{ name }}
  d
{% endtrans %}
"""
    found = [text for _, text in catalogues.texts_in_template(source)]
    assert found == [Mixed("_(…)"), "A %(x)s", ("B", "Bs"), "C %(name)s d"]


def test_texts_are_found_in_scripts() -> None:
    source = 'const a = t("A {x}", { x }); b(tn("B", "Bs", n)); c("no");'
    assert [text for _, text in catalogues.texts_in_script(source)] == ["A {x}", ("B", "Bs")]


def test_a_text_with_a_number_goes_to_scripts_by_the_names_of_its_forms() -> None:
    catalog = Catalog(locale="ru")
    catalog.add(
        ("{n} day", "{n} days"), ("{n} день", "{n} дня", "{n} дней"), [("static/js/a.js", 1)]
    )
    catalog.add("</script>", "</script>", [("static/js/a.js", 2)])
    catalog.add("Elsewhere", "В другом месте", [("templates/a.html", 1)])
    made = catalogues.for_scripts(catalog)
    assert "</" not in made
    assert catalogues.json.loads(made) == {
        "{n} day": {"one": "{n} день", "few": "{n} дня", "many": "{n} дней", "other": "{n} дней"},
        "</script>": "</script>",
    }
