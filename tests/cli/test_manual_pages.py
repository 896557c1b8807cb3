"""`hbspec explain` and `hbspec rules`: every code has its page, and the page is the rule's own."""

from __future__ import annotations

import json

import pytest

from hbspec.manual import page_of, pages, words
from hbspec.manual.configuration import PAGES as OF_CONFIGURATION
from hbspec.manual.data import PAGES as DATA
from hbspec.manual.files import PAGES
from hbspec.manual.foreign import PAGES as OF_OTHERS
from hbspec.manual.policy import PAGES as OF_POLICIES
from hbspec.manual.shape import PAGES as SPEC
from hbspec.manual.targets import PAGES as OF_TARGETS
from hbspec.manual.text import PAGES as SOURCE
from hbspec.rules.engine import all_rules


@pytest.mark.one_in(4)
@pytest.mark.parametrize("module", all_rules(), ids=lambda module: module.RULE.code)
def test_a_page_read_from_the_file_is_the_page_of_the_module(module):
    found, rule = page_of(module.RULE.code), module.RULE
    assert found == page_of(rule.name) == page_of(rule.code.lower())
    assert (found.code, found.name, found.severity) == (rule.code, rule.name, rule.severity)


def test_no_code_and_no_name_twice():
    codes = [page.code for page in pages()]
    names = [page.name for page in pages()]
    assert (
        len(set(codes))
        == len(codes)
        == sum(map(len, (SOURCE, SPEC, PAGES, DATA, OF_TARGETS, OF_CONFIGURATION, OF_POLICIES, OF_OTHERS, all_rules())))
    )
    assert len(set(names)) == len(names)


def test_every_word_has_a_page():
    assert all(page_of(word) for word in words())


def test_a_defect_s_page(hbspec):
    code, out, _ = hbspec("explain", "duplicate-key")
    assert code == 0
    assert out.startswith("error[HB002] duplicate-key\n\nA mapping holds the same key twice.\n")
    assert "\nInstead\n\n    hyperparameters:\n      lora_r: 32\n" in out


def test_a_word_without_a_page(hbspec):
    code, out, err = hbspec("explain", "idle-gpu")
    assert (code, out) == (2, "")
    assert err == (
        "hbspec: idle-gpu is neither a code nor the name of one (`hbspec rules` lists them); did you mean idle-gpus?\n"
    )


def test_the_list(hbspec):
    code, out, _ = hbspec("rules")
    assert code == 0
    lines = out.splitlines()
    assert [line[:5] for line in lines] == sorted(page.code for page in pages())
    assert any(line.startswith("HB101  warning  idle-gpus ") for line in lines)


def test_the_list_on_forty_columns(hbspec):
    _, out, _ = hbspec("rules", COLUMNS="40")
    assert max(map(len, out.splitlines())) <= 60
    assert "HB002  error    duplicate-key\n    A mapping holds the same key twice.\n" in out


def test_the_list_of_what_has_a_word(hbspec):
    code, out, _ = hbspec("rules", "--search", "Warm-up constant")
    assert code == 0
    assert "HB249" in out
    assert "HB101" not in out
    assert all("HB" in line for line in out.splitlines())


def test_a_word_that_no_page_has(hbspec):
    code, out, err = hbspec("rules", "--search", "ice hockey")
    assert (code, out) == (1, "")
    assert err == "hbspec: no page has 'ice hockey'; `hbspec rules` lists all codes\n"


def test_the_list_as_json(hbspec):
    entries = json.loads(hbspec("rules", "--format", "json")[1])["rules"]
    assert {entry["code"] for entry in entries} == {page.code for page in pages()}
    assert all(entry["summary"] and entry["why"] for entry in entries)


def test_lines_of_data_have_a_page():
    for code, defect in DATA.items():
        assert page_of(code) == page_of(defect.name)
        assert page_of(code).severity == defect.severity.value
