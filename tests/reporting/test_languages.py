"""A report in another language: the same numbers, a whole catalogue, and English only where it is marked."""

from __future__ import annotations

import ast
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest
from babel.dates import get_month_names
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from babel.numbers import parse_decimal

import hbspec
from hbspec.cli.report import LANGUAGES
from hbspec.language import day_text, phrase, speaking, spoken
from hbspec.reporting.contents import contents
from hbspec.reporting.markdown import markdown
from hbspec.reporting.page import page
from hbspec.reporting.translation import FOLDER, translation
from hbspec.units import Money, Rate, Worded, bytes_text, counted, seconds_text
from reporting.conftest import SECRET, Element, Tree

SOURCE = Path(hbspec.__file__).parent
NARROW, BREAK = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
NUMBER = re.compile(rf"[+-]?\d[\d,{NARROW}]*(?:[.,]\d+)?")
MONTHS = {name: number for number, name in get_month_names("wide", locale="fr").items()}


@pytest.fixture(scope="module")
def french():
    return translation("fr")


@pytest.fixture(scope="module")
def in_french(compared, french):
    return contents(compared, language=french)


@pytest.fixture(scope="module")
def tree_in_french(in_french):
    return Tree(page(in_french)).root


def entries():
    with (FOLDER / "fr.po").open("rb") as stream:
        return [one for one in read_po(stream, locale="fr", abort_invalid=True) if one.id]


def forms(words):
    return list(words) if isinstance(words, list | tuple) else [words]


def held(template):
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def test_each_language_has_a_catalogue():
    assert {*LANGUAGES} == {"en", *(path.stem for path in FOLDER.glob("*.po"))}
    assert translation("en") is None


def test_every_phrase_of_the_source_is_translated():
    found = extract_from_dir(SOURCE, method_map=[("**.py", "python")], keywords={"phrase": None})
    phrases = {forms(words)[0] for _, _, words, _, _ in found} - {"", None}
    known = {forms(one.id)[0] for one in entries()}
    assert phrases - known == set()
    assert len(phrases) > 200


def test_every_key_is_a_text_of_the_source_or_a_name_in_words():
    texts, templates = set(), set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts |= {node.value, node.value.replace("_", " ")}
            elif isinstance(node, ast.JoinedStr):
                templates.add(tuple(part.value if isinstance(part, ast.Constant) else None for part in node.values))
    unknown = []
    for one in entries():
        key = forms(one.id)[0]
        parts = tuple(None if re.fullmatch(r"\{\w+\}", part) else part for part in re.split(r"(\{\w+\})", key) if part)
        if key not in texts and parts not in templates:
            unknown.append(key)
    assert unknown == []


def test_a_translation_holds_what_its_key_holds():
    for one in entries():
        key = forms(one.id)[0]
        for said in forms(one.string):
            assert said.strip(), key
            assert held(said) == held(key), key
            assert (said.startswith(" "), said.endswith(" ")) == (key.startswith(" "), key.endswith(" ")), key
            assert not re.search(r" [:;%?!»]|« ", said), f"{key}: a space that may break a line"


def marked(element, language=""):
    """The texts of a page in order, each with the language of its element."""
    for child in element.children:
        if not isinstance(child, Element):
            yield child, language
        elif child.tag not in ("style", "title"):
            yield from marked(child, child.attributes.get("lang", language))


def read(text, locale):
    """The numbers of a text, with those of its days, as a reader of the language reads them."""
    text = re.sub(r"(\d{4})-(\d\d)-(\d\d)", lambda day: " ".join(map(str, map(int, day.groups()))), text)
    text = re.sub(r"1er (\w+)", r"1 \1", text).replace("16-bit", "16 bits")
    words = [re.sub(r"^[(«]+|[)»;:,.]+$", "", word) for word in re.split(f"[ {BREAK}\n]+", text)]
    words = [str(MONTHS[word]) if locale == "fr" and word in MONTHS else word for word in words]
    words = [word.removesuffix("/h").removesuffix("B") for word in words]
    return sorted(parse_decimal(word, locale, strict=True) for word in words if NUMBER.fullmatch(word))


def blocks(root):
    """What is said and drawn, paragraph by paragraph, cell by cell and label by label."""
    main = next(root.every("main"))
    return list(main.every("p", "td", "th", "caption", "figcaption", "text", "h2"))


def test_every_number_is_the_same_in_both_languages(tree, tree_in_french):
    english, french = blocks(tree), blocks(tree_in_french)
    assert [one.tag for one in english if one.tag != "p"] == [one.tag for one in french if one.tag != "p"]
    notes = [one for one in french if one.text() == "Les textes des constats et des sources sont en anglais."]
    assert len(notes) == 2
    french = [one for one in french if one not in notes]
    compared = 0
    for ours, theirs in zip(english, french, strict=True):
        if any(language == "en" for _, language in marked(theirs)) or ours.text() == theirs.text():
            continue  # what an author wrote, and what is marked as English
        assert read(ours.text(), "en") == read(theirs.text(), "fr"), (ours.text(), theirs.text())
        compared += len(read(ours.text(), "en"))
    assert compared > 300


def test_no_number_is_written_as_in_english(tree_in_french):
    said = [text for text, language in marked(next(tree_in_french.every("main"))) if language != "en"]
    own = ("1 USD..2 USD", "1.408 USD/h")
    wrong = [text for text in said if re.search(r"\d\.\d|\d,\d{3}\b", text) and not any(one in text for one in own)]
    assert [text for text in wrong if not re.search(r"Qwen2\.5|trl|TRL|^\d+(\.\d+)+$", text)] == []


def test_what_stays_english_is_marked(tree_in_french, html):
    english = {text for text, language in marked(tree_in_french) if language == "en"}
    assert any(text.startswith("HB") for text in english)
    sources = re.compile(r"HB\d|https?:|TRL |trl |transformers|templates/|[\w.]+/[\w.]+")
    sections = {one.attributes["id"]: one for one in tree_in_french.every("section")}
    for name in set(sections) - {"findings", "sources"}:
        left = [text for text, language in marked(sections[name]) if language == "en"]
        assert [text for text in left if not sources.search(text)] == []
    assert re.findall(r'lang="(\w+)"', html) == ["en"]


def test_the_page_says_its_language(tree_in_french):
    assert next(tree_in_french.every("html")).attributes["lang"] == "fr"
    assert next(tree_in_french.every("nav")).attributes["aria-label"] == "Sommaire"
    assert next(tree_in_french.every("title")).text().endswith(f"{BREAK}: hbspec report")
    headings = [one.text() for one in tree_in_french.every("h2")]
    assert headings[1:4] == ["Mémoire", "Durée", "Coût"]


def test_markdown_says_the_same(in_french):
    text = markdown(in_french)
    assert f"La facture en USD{BREAK}:" in text
    assert SECRET not in text


def test_numbers_days_and_money(french):
    with speaking(french):
        assert str(Money(Decimal("1234.56"), "CAD")) == f"1{NARROW}234,56{BREAK}${BREAK}CA"
        assert str(Rate(Decimal("7.866"), "USD")) == f"7,87{BREAK}${BREAK}US/h"
        assert str(Money(Decimal("0.5"), "EUR")) == f"0,50{BREAK}€"
        assert day_text(date(2026, 12, 2)) == "2 décembre 2026"
        assert day_text(date(2026, 12, 1)) == "1er décembre 2026"
        assert bytes_text(22_300_000_000) == f"22,3{BREAK}Go"
        assert seconds_text(3 * 86_400) == f"3,00{BREAK}j"
        assert [counted(number, "example") for number in (0, 1, 1758)] == [
            "0 exemple",
            "1 exemple",
            f"1{NARROW}758 exemples",
        ]
    assert str(Money(Decimal("1234.56"), "CAD")) == "1,234.56 CAD"


def test_what_was_kept_is_said_again(french):
    kept = phrase("kept for {time} after the job, or until another job starts on them", time=Worded(5400, seconds_text))
    with speaking(french):
        assert spoken(kept).startswith(f"gardées 1,50{BREAK}h après la tâche")
        assert spoken(spoken(kept)) == spoken(kept)
        assert (
            spoken("the price of 8 x A100-80 in an unnamed region")
            == "le prix de 8 x A100-80 dans une région non nommée"
        )
        assert spoken("the memory of what nobody knows").pieces if hasattr(spoken("x"), "pieces") else True
    assert kept == "kept for 1.50 h after the job, or until another job starts on them"
