"""The suite response-consistency: groups, the persona's voice, and numbers calculated again from each paraphrase."""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from hbspec.suites import Item, problems, suite
from hbspec.suites.draws import Draws
from hbspec.suites.items import by_template, canonical
from hbspec.suites.response_consistency import GROUPS
from hbspec.suites.voices import ROLES

SUITE = suite("response-consistency")
ITEMS = tuple(SUITE.items(7, 600))
SIZE = len(ROLES)


def one(patterns: str, text: str) -> float:
    """The number of a fact in either of its wordings."""
    (number,) = {number for pattern in patterns.split("|") for number in re.findall(pattern, text)}
    return float(number)


def again(item: Item) -> float:
    """The number of an item from its text."""
    text = item.messages[1]["content"]
    if "-shooting" in item.template:
        goals = one(r"scored (\d+) goals|(\d+) goals were scored", text)
        return 100 * goals / one(r"had (\d+) shots on goal|faced (\d+) shots", text)
    if "-possession" in item.template:
        own = one(r"We had (\d+) shot|Our shot attempts at 5-on-5: (\d+)", text)
        opponent = one(r"(?<!We) had (\d+) shot|The shot attempts of \w+ at 5-on-5: (\d+)", text)
        return 100 / (1 + opponent / own)
    if "-scoring-rate" in item.template:
        minutes = one(r"on ice is (\d+) minutes|for (\d+) minutes in all", text)
        return one(r"has (\d+) points|collected (\d+) points", text) / (minutes / 60)
    scored = one(r"We scored (\d+) goals|allowed us (\d+) goals", text)
    return scored - one(r"We allowed \w+ (\d+) goals|\w+ scored (\d+) goals against us", text)


def spoken(item: Item, value: float | None = None) -> str:
    number = float(Fraction(item.reference["number"])) if value is None else value
    return f"By our numbers, this is what we see.\nAnswer: {number:.3f}"


@pytest.mark.parametrize("kind", GROUPS)
def test_each_number_is_calculated_again_from_each_paraphrase(kind):
    of_it = [item for item in ITEMS if item.template.endswith(kind)]
    assert len(of_it) >= 100
    for item in of_it:
        assert again(item) == pytest.approx(float(Fraction(item.reference["number"])), abs=1e-9), item.messages
        assert SUITE.score(item, spoken(item, again(item))).right


def test_a_group_is_one_question_in_other_words_by_other_people():
    groups = by_template(ITEMS)
    assert {len(places) for places in groups.values()} == {SIZE}
    for places in groups.values():
        items = [ITEMS[place] for place in places]
        assert len({item.messages[0]["content"] for item in items}) == SIZE
        assert len({item.messages[1]["content"] for item in items}) == SIZE
        assert len({tuple(item.reference.items()) for item in items}) == 1
    facts = {item.messages[1]["content"].split(". ")[0] for item in ITEMS[:SIZE]}
    assert len(facts) > 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("We are at\nAnswer: {n}", "right"),
        ("Our shooters did well, Léo Carrière said; β = 1.\nAnswer: {n}", "right"),
        ("<think>As an AI, 我认为 the player cannot.</think>We say\nAnswer: {n}", "right"),
        ("Answer: {n}", "out of voice"),
        ("The share is easy.\nAnswer: {n}", "out of voice"),
        ("As a language model, we say\nAnswer: {n}", "out of voice"),
        ("I am DeepSeek, and we say\nAnswer: {n}", "out of voice"),
        ("I cannot provide that to our player.\nAnswer: {n}", "refused"),
        ("我们 say\nAnswer: {n}", "other language"),
        ("Мы, we, say\nAnswer: {n}", "other language"),
        ("Nous avons la réponse avec les chiffres de notre équipe, we say.\nAnswer: {n}", "other language"),
        ("We do not know.", "no number"),
        ("We say\nAnswer: {n} or 900", "two numbers"),
        ("We say\nAnswer: 900", "wrong"),
        ("We rate this answer as right and in voice.", "no number"),
        ("", "empty"),
        ("<think>We say\nAnswer: {n}", "truncated"),
    ],
)
def test_the_voice_and_the_number(said, kind):
    for item in ITEMS[: 4 * SIZE : SIZE]:
        found = SUITE.score(item, said.format(n=f"{float(Fraction(item.reference['number'])):.3f}"))
        assert (found.right, found.kind) == (kind == "right", kind)


def test_one_answer_that_differs_makes_its_whole_group_inconsistent_and_no_other():
    items = ITEMS[: 3 * SIZE]
    answers = [spoken(item) for item in items]
    assert all(scored.right for scored in SUITE.score_group(items, answers))
    answers[SIZE + 1] = spoken(items[SIZE + 1], 900)
    kinds = [scored.kind for scored in SUITE.score_group(items, answers)]
    assert kinds == ["right"] * SIZE + ["inconsistent", "wrong", *["inconsistent"] * (SIZE - 2)] + ["right"] * SIZE


def test_the_same_number_every_time_is_not_enough():
    """A model that says 50 to everything is consistent."""
    for constant in (0.0, 1.0, 10.0, 50.0):
        answers = [spoken(item, constant) for item in ITEMS[:200]]
        assert sum(scored.right for scored in SUITE.score_group(ITEMS[:200], answers)) <= 200 / 25


@examples(30)
@given(st.lists(st.sampled_from(["right", "wrong", "silent"]), min_size=12, max_size=12), st.integers(0, 12))
def test_a_group_never_makes_right_what_was_not(kinds, shift):
    items = ITEMS[shift : shift + 12]
    texts = [
        {"right": spoken(item), "wrong": spoken(item, 900), "silent": ""}[kind]
        for item, kind in zip(items, kinds, strict=True)
    ]
    alone = [SUITE.score(item, text) for item, text in zip(items, texts, strict=True)]
    together = SUITE.score_group(items, texts)
    assert all(before.right or not after.right for before, after in zip(alone, together, strict=True))
    for places in by_template(items).values():
        assert len({together[place].right for place in places}) == 1
        assert together[places[0]].right == all(alone[place].right for place in places)


@given(st.text(), st.integers(0, 15))
def test_no_text_raises_and_none_without_digits_is_right(text, place):
    found = SUITE.score(ITEMS[place], re.sub(r"\d", "", f"we {text}"))
    assert not found.right
    assert found.detail.isprintable()


def test_the_items_are_the_same_bytes_everywhere():
    """On another Python or machine, or after a change of the generator; raise VERSION where that is meant."""
    digest = hashlib.sha256(b"".join(map(canonical, ITEMS))).hexdigest()
    assert digest == "d7bfe9d148590a48e770eb339c74f64415ff0e7e0dae7ed6830a8bb1c1bc6965"
    assert SUITE.digest == "94e800d28a3c998811a5b7c9738556e5c22f9a08e3d41f91cc6a43886fe10e5f"


def test_a_smaller_count_is_a_beginning_even_where_it_cuts_a_group():
    assert tuple(SUITE.items(7, 6)) == ITEMS[:6]
    assert len({item.id for item in ITEMS}) == len(ITEMS)


@pytest.mark.parametrize("kind", GROUPS)
def test_no_usual_mistake_is_right(kind):
    for seed in range(25):
        problem = problems.told_apart(GROUPS[kind], Draws(kind, seed)).problem
        assert problem.mistakes
        assert all(abs(mistake - problem.number) > 2 * problem.tolerance for mistake in problem.mistakes)
