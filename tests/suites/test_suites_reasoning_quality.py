"""The suite reasoning-quality: each value of each problem calculated again, from the numbers in the prompt's text."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.suites import Item, problems, suite
from hbspec.suites.draws import Draws
from hbspec.suites.items import canonical
from hbspec.suites.reasoning_quality import STEPS

SUITE = suite("reasoning-quality")
ITEMS = tuple(SUITE.items(7, 600))


def question(item: Item) -> str:
    return item.messages[1]["content"].partition("\n\nReason as much")[0]


def found(item: Item) -> list[float]:
    """All numbers of the question, in order; times as minutes and seconds apart."""
    text = re.sub(r"5-on-5|per 60 minutes|scale on which 100", "", question(item))
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]


def relative_corsi(team: float, against: float, on: float, on_against: float) -> tuple[float, ...]:
    with_player, without = on / (on + on_against), (team - on) / (team - on + against - on_against)
    return 100 * with_player, 100 * without, 100 * (with_player - without)


def goals_saved(minutes: float, *counts: float) -> tuple[float, ...]:
    *shots, goals = counts
    expected = sum(number * worth for number, worth in zip(shots[::2], shots[1::2], strict=True))
    return expected, expected - goals, (expected - goals) / (minutes / 60)


def shooting_and_saving(goals: float, shots: float, faced: float, saves: float) -> tuple[float, ...]:
    return 100 * goals / shots, 100 * saves / faced, 100 * (goals / shots + saves / faced)


def power_play(home_goals: float, home: float, road_goals: float, road: float, league: float) -> tuple[float, ...]:
    goals, chances = home_goals + road_goals, home + road
    return chances, 100 * goals / chances, chances * (goals / chances - league / 100)


def two_lines(xg: float, minutes: float, seconds: float, other: float, m: float, s: float) -> tuple[float, ...]:
    first, second = 60 * xg / (minutes + seconds / 60), 60 * other / (m + s / 60)
    return first, second, first - second


def faceoffs(rate: float, taken: float, more: float, again: float, target: float) -> tuple[float, ...]:
    """By trying: the fewest wins with which the target is reached."""
    assert more == again
    won = round(rate * taken / 100)
    fewest = next(wins for wins in range(int(more) + 1) if 100 * (won + wins) >= target * (taken + more))
    return won, won + fewest, fewest


AGAIN = {
    "relative-corsi": relative_corsi,
    "goals-saved": goals_saved,
    "shooting-and-saving": shooting_and_saving,
    "power-play": power_play,
    "two-lines": two_lines,
    "faceoffs": faceoffs,
}


def written(item: Item, values: tuple[float, ...], *, without: int | None = None, wrong: int | None = None) -> str:
    """The lines that the prompt asks for, with the decimals that it asks for; one left out, or one wrong."""
    labels = [*(step["label"] for step in item.reference["steps"]), "Answer"]
    lines = []
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        asked = re.search(rf"{label}: NUMBER.*?\((.*?)\)", item.messages[1]["content"])[1]
        decimals = re.search(r"(\d) decimal", asked)
        number = value + (3 if place == wrong else 0)
        lines += [f"{label}: {number:.{decimals[1]}f}" if decimals else f"{label}: {round(number, 2):g}"]
    return "\n".join(line for place, line in enumerate(lines) if place != without)


@pytest.mark.parametrize("template", AGAIN)
def test_each_value_is_calculated_again_from_its_text(template):
    of_it = [item for item in ITEMS if item.reference["stratum"] == template]
    assert len(of_it) == len(ITEMS) / len(AGAIN)
    for item in of_it:
        values = AGAIN[template](*found(item))
        references = [*item.reference["steps"], item.reference]
        for reference, value in zip(references, values, strict=True):
            assert float(Fraction(reference["number"])) == pytest.approx(value, abs=1e-9), question(item)
        assert SUITE.score(item, f"So:\n{written(item, values)}").right


def test_every_value_counts_and_nothing_is_given_for_a_part():
    for item in ITEMS[:60]:
        values = AGAIN[item.reference["stratum"]](*found(item))
        kinds = {
            (kind, place): SUITE.score(item, written(item, values, **{kind: place})).kind
            for kind in ("without", "wrong")
            for place in range(3)
        }
        assert kinds == {
            ("without", 0): "no step",
            ("without", 1): "no step",
            ("without", 2): "no number",
            ("wrong", 0): "wrong step",
            ("wrong", 1): "wrong step",
            ("wrong", 2): "wrong",
        }


@pytest.mark.parametrize(
    ("layout", "right"),
    [
        ("**{a}:** 3 + 4 = {x}\n- {b}: {y}\n\nAnswer: {z}", True),
        ("1. {a}: {x}\n2) **{b}**: {y}\n### Answer\n\\boxed{{{z}}}", True),
        ("<think>{a}: 1\nAnswer: 2</think>\n{a}: {x}\n{b}: {y}\nAnswer: {z}", True),
        ("The {a} is {x}, the {b} is {y}.\nAnswer: {z}", False),
        ("{a}: {x}\n{b}: {y} or 7\nAnswer: {z}", False),
        ("{a}: {x}\n{b}: {y}\n{a}: 8\nAnswer: {z}", False),
        ("{a}, {b}: right\nScore: 1\nAnswer: {z}", False),
    ],
)
def test_layouts(layout, right):
    for item in ITEMS[:6]:
        x, y, z = (f"{value:.3f}" for value in AGAIN[item.reference["stratum"]](*found(item)))
        a, b = (step["label"] for step in item.reference["steps"])
        assert SUITE.score(item, layout.format(a=a, b=b, x=x, y=y, z=z)).right is right


def test_the_items_are_the_same_bytes_everywhere():
    """On another Python or machine, or after a change of the generator; raise VERSION where that is meant."""
    digest = hashlib.sha256(b"".join(map(canonical, ITEMS))).hexdigest()
    assert digest == "c4b110a78c1e35ab165e2403a17d13389bec5b86f048d76fff9a95a5ed959cc8"
    assert SUITE.digest == "9c77f179ac986e2e8d8abc27ed39119550b806495fd98b76ff1a7d1af654e4e7"


def test_templates_take_turns_and_ids_are_unique():
    assert set(AGAIN) == set(STEPS)
    assert set(Counter(item.reference["stratum"] for item in ITEMS).values()) == {len(ITEMS) // len(STEPS)}
    assert len({item.id for item in ITEMS}) == len({item.template for item in ITEMS}) == len(ITEMS)
    assert tuple(SUITE.items(7, 10)) == ITEMS[:10]


@pytest.mark.parametrize("template", STEPS)
def test_no_usual_mistake_is_right(template):
    for seed in range(25):
        problem = problems.told_apart(STEPS[template], Draws(template, seed)).problem
        assert problem.mistakes
        assert all(abs(mistake - problem.number) > 2 * problem.tolerance for mistake in problem.mistakes)


@given(st.text(), st.integers(0, 5))
def test_no_text_raises_and_none_without_digits_is_right(text, place):
    assert not SUITE.score(ITEMS[place], re.sub(r"\d", "", text)).right
    assert not SUITE.score(ITEMS[place], f"Answer: {text}").right
