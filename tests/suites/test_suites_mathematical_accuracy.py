"""The suite mathematical-accuracy: each answer calculated again, from the numbers in the prompt's text, with floats."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from fractions import Fraction

import pytest

from hbspec.suites import Item, problems, suite
from hbspec.suites.draws import Draws
from hbspec.suites.items import canonical
from hbspec.suites.mathematical_accuracy import PROBLEMS

np = pytest.importorskip("numpy")
SUITE = suite("mathematical-accuracy")
ITEMS = tuple(SUITE.items(7, 600))
PLAYED = r"{} had (\d+) shots on goal, goals included, missed the net with (\d+) shots, and had (\d+) shots blocked"


def question(item: Item) -> str:
    return item.messages[1]["content"].partition("\n\nGive the answer")[0]


def found(pattern: str, text: str) -> list[float]:
    match = re.search(pattern, text)
    assert match is not None, text
    return [float(each) for each in match.groups()]


def sides(text: str) -> tuple[np.ndarray, np.ndarray]:
    opponent = re.search(r"the Canadiens and (\w+) played", text)[1]
    return np.array(found(PLAYED.format("The Canadiens"), text)), np.array(found(PLAYED.format(opponent), text))


def share(text: str, kept: list[int]) -> float:
    own, other = (side @ np.array(kept) for side in sides(text))
    return 100 / (1 + other / own)


def save_percentage(text: str) -> float:
    (allowed,) = found(r"allowed (\d+) goals", text)
    if "made" in text:
        (saves,) = found(r"made (\d+) saves", text)
        return 100 * saves / (saves + allowed)
    (faced,) = found(r"faced (\d+) shots", text)
    return 100 - 100 * allowed / faced


def pdo(text: str) -> float:
    goals, shots, against, faced = found(
        r"scored (\d+) goals on (\d+) shots on goal and allowed (\d+) goals on (\d+)", text
    )
    return 100 * (1 + goals / shots - against / faced)


def rate(text: str) -> float:
    points, games, minutes, seconds = found(r"(\d+) points in (\d+) games, with (\d+) minutes (\d+) seconds", text)
    return points / (games * (minutes + seconds / 60) / 60)


def differential(text: str) -> float:
    own, other = re.findall(r"chances worth ([\d., and]+?) expected", text)
    return sum(map(float, re.findall(r"0\.\d+", own))) - sum(map(float, re.findall(r"0\.\d+", other)))


def rapm(text: str) -> float:
    """Ridge regression as least squares of the weighted rows, with rows of the penalty below them."""
    names = re.split(r", | and ", re.search(r"\(RAPM\) of (.+) from these", text)[1])
    (penalty,) = found(r"plus (\d+) x the sum of the squared", text)
    rows, right = [], []
    for minutes, players, outcome in re.findall(
        r"Shift \d+: (\d+) minutes, (.+) on the ice, .+ ([+-][\d.]+) per", text
    ):
        weight = float(minutes) ** 0.5
        rows.append([weight * (name in re.split(r", | and ", players)) for name in names])
        right.append(weight * float(outcome))
    rows += list(np.sqrt(penalty) * np.eye(len(names)))
    solution, *_ = np.linalg.lstsq(np.array(rows), np.array(right + [0.0] * len(names)), rcond=None)
    return solution[names.index(re.search(r"What is (\w+)'s rating", text)[1])]


AGAIN = {
    "corsi-for": lambda text: sides(text)[0].sum(),
    "corsi-against": lambda text: sides(text)[1].sum(),
    "corsi-percentage": lambda text: share(text, [1, 1, 1]),
    "fenwick-for": lambda text: sides(text)[0][:2].sum(),
    "fenwick-against": lambda text: sides(text)[1][:2].sum(),
    "fenwick-percentage": lambda text: share(text, [1, 1, 0]),
    "pdo": pdo,
    "save-percentage": save_percentage,
    "shooting-percentage": lambda text: 100 * np.divide(*found(r"which (\d+) were on goal.+scored (\d+)", text)[::-1]),
    "rate-per-60": rate,
    "expected-goals-differential": differential,
    "ridge-rapm": rapm,
}


@pytest.mark.parametrize("template", AGAIN)
def test_each_answer_is_calculated_again_from_its_text(template):
    of_it = [item for item in ITEMS if item.reference["stratum"] == template]
    assert len(of_it) == len(ITEMS) / len(AGAIN)
    for item in of_it:
        value = AGAIN[template](question(item))
        assert float(Fraction(item.reference["number"])) == pytest.approx(value, abs=1e-9), question(item)
        decimals = re.search(r"rounded to (\d) decimal", item.messages[1]["content"])
        written = f"{value:.{decimals[1]}f}" if decimals else f"{round(value, 2):g}"
        assert SUITE.score(item, f"Answer: {written}").right
        assert not SUITE.score(item, f"Answer: {value + 1:.2f}").right
        assert not SUITE.score(item, "Answer: ").right


def test_every_template_is_checked_and_takes_its_turn():
    assert set(AGAIN) == set(PROBLEMS)
    assert set(Counter(item.reference["stratum"] for item in ITEMS).values()) == {len(ITEMS) // len(PROBLEMS)}


def test_the_items_are_the_same_bytes_everywhere():
    """On another Python or machine, or after a change of the generator; raise VERSION where that is meant."""
    digest = hashlib.sha256(b"".join(map(canonical, ITEMS))).hexdigest()
    assert digest == "3491038a023a4e7d69b6353d1e0043c36734a603fc2d0b31ce1964675c651fe2"
    assert SUITE.digest == "809302504dd092856510a896d4af37f9529dfa3a24557e5488ff85f32b9deb9c"


def test_few_items_are_the_first_of_many_and_a_seed_gives_others():
    assert tuple(SUITE.items(7, 25)) == ITEMS[:25]
    assert len({item.id for item in ITEMS}) == len({item.template for item in ITEMS}) == len(ITEMS)
    assert not set(map(question, SUITE.items(8, 600))) & set(map(question, ITEMS))


def test_a_reference_is_plain_json_and_the_prompt_says_the_form():
    for item in ITEMS[:24]:
        assert json.loads(json.dumps(item.reference)) == item.reference
        assert "Answer: NUMBER UNIT" in item.messages[-1]["content"]
        assert [message["role"] for message in item.messages] == ["system", "user"]


def test_no_constant_answer_scores():
    """Zero, 50 % and 100 are the numbers that a model that cannot count would say."""
    for constant in ("0", "1", "50", "100", "50 %", "0.5", "2.5"):
        assert sum(SUITE.score(item, f"Answer: {constant}").right for item in ITEMS[:240]) <= 240 / 50


@pytest.mark.parametrize("template", PROBLEMS)
def test_no_usual_mistake_is_right(template):
    for seed in range(25):
        problem = problems.told_apart(PROBLEMS[template], Draws(template, seed))
        assert problem.mistakes
        assert all(abs(mistake - problem.number) > 2 * problem.tolerance for mistake in problem.mistakes)


def test_a_problem_that_a_mistake_solves_is_drawn_again():
    def counted(draws: Draws) -> problems.Problem:
        number = draws.below(10)
        return problems.Problem("", Fraction(number), "", None, (Fraction(0),))

    numbers = {problems.told_apart(counted, Draws("again", seed)).number for seed in range(60)}
    assert numbers == set(range(1, 10))
    with pytest.raises(AssertionError, match="every problem has a mistake"):
        problems.told_apart(lambda draws: counted(draws)._replace(number=Fraction(0)), Draws("never"))


def test_draws_are_uniform_and_reach_every_value():
    draws = Draws("uniform", 1)
    counts = Counter(draws.below(6) for _ in range(6000))
    assert set(counts) == set(range(6))
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 20.5  # chi-squared, 5 degrees: p = 0.001
    assert sorted(draws.shuffled(range(9))) == list(range(9))
