"""The suite reasoning-quality: problems of several steps, whose intermediate values are asked for and compared.

An answer is right if every value that was asked for is: each on a line of its own behind its label, the last one behind
`Answer:`. Nothing is given for a part. A right answer with a wrong step is a `wrong step`: it was guessed, or copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from . import answers
from .answers import asked_of
from .draws import Draws
from .hockey_metrics import pdo, per_60, percent, save_percentage, share
from .items import RIGHT, Item, Scored, digest_of
from .problems import ANALYST, OPPONENTS, PLAYERS, Problem, told, told_apart

NAME = "reasoning-quality"
VERSION = 1
SAMPLE = 60
"""Items that the digest is made of."""
TOKENS = 3072


class Steps(NamedTuple):
    """A problem of several steps.

    Attributes:
        problem: the text, and the last value.
        values: the values before it, in order, each a label with a problem without a text.
    """

    problem: Problem
    values: tuple[tuple[str, Problem], ...]

    @property
    def is_told_apart(self) -> bool:
        """As `Problem` has it."""
        return self.problem.is_told_apart


@dataclass(frozen=True)
class ReasoningQuality:
    """Kinds of problems take turns, so that any `count` is balanced; an item's kind is its stratum."""

    name: str = NAME

    @cached_property
    def digest(self) -> str:
        """As `Suite` has it."""
        return digest_of(NAME, VERSION * 1000 + answers.VERSION, self.items(0, SAMPLE))

    def items(self, seed: int, count: int) -> Iterator[Item]:
        """As `Suite` has it; each item is decided by the seed and its position alone."""
        names = list(STEPS)
        for position in range(count):
            kind = names[position % len(names)]
            yield _item(f"{seed}-{position}-{kind}", kind, told_apart(STEPS[kind], Draws(NAME, seed, position)))

    def score(self, item: Item, answer: str) -> Scored:
        """As `Suite` has it. Kinds of its own: `wrong step` and `no step`, where the last value is right."""
        last = answers.judged(asked_of(item.reference), answer)
        if not last.right:
            return last
        said = answers.spoken(answer) or ""
        for step in item.reference["steps"]:
            label = step["label"]
            found = answers.found_right(label, asked_of(step), answers.labelled(said, label), answer)
            if not found.right:
                return Scored(False, "no step" if found.kind == "no number" else "wrong step", found.detail)
        return Scored(True, RIGHT, f"{last.detail}, and {len(item.reference['steps'])} steps before it")


def _item(key: str, stratum: str, found: Steps) -> Item:
    forms = [f"{label}: NUMBER ({told(value.unit, value.decimals)})" for label, value in found.values]
    last = f"Answer: NUMBER UNIT ({told(found.problem.unit, found.problem.decimals)})"
    form = "\n".join([
        "Reason as much as you need. Then write these lines, each with one number, and nothing behind the last:",
        *forms, last, "Use a point for decimals and no separator for thousands.",
    ])  # fmt: skip
    messages = (
        {"role": "system", "content": ANALYST},
        {"role": "user", "content": f"{found.problem.text}\n\n{form}"},
    )
    before = [{"label": label, **value.asked.reference()} for label, value in found.values]
    reference = {**found.problem.asked.reference(), "steps": before, "stratum": stratum}
    return Item(key, key, messages, reference, TOKENS)


def _step(number: Fraction | int, unit: str, decimals: int | None) -> Problem:
    return Problem("", Fraction(number), unit, decimals)


def relative_corsi(draws: Draws) -> Steps:
    """A player's on-ice share of attempts less the team's share without the player."""
    player = draws.choice(PLAYERS)
    own, other, rest_own, rest_other = (draws.between(low, 2 * low) for low in (300, 300, 800, 800))
    on, off = share(own, other), share(rest_own, rest_other)
    text = (
        f"In all its minutes at 5-on-5 the team had {own + rest_own} shot attempts and its opponents "
        f"{other + rest_other}. With {player} on the ice, the team had {own} of these attempts and the opponents "
        f"{other}. What is {player}'s relative Corsi: the on-ice Corsi for percentage less that without {player}?"
    )
    mistakes = (on - share(own + rest_own, other + rest_other), off - on)
    values = (("On-ice share", _step(on, "%", 1)), ("Off-ice share", _step(off, "%", 1)))
    return Steps(Problem(text, on - off, "%", 1, mistakes), values)


def goals_saved(draws: Draws) -> Steps:
    """Goals saved above expected, per 60 minutes."""
    high, medium, low = draws.between(30, 120), draws.between(60, 200), draws.between(150, 500)
    worth = (draws.between(15, 25), draws.between(6, 11), draws.between(2, 4))
    expected = Fraction(high * worth[0] + medium * worth[1] + low * worth[2], 100)
    goals, minutes = round(expected) + draws.between(-12, 12), 60 * draws.between(8, 40)
    text = (
        f"In {minutes} minutes a goaltender faced {high} high-danger shots, each worth 0.{worth[0]:02} expected goals, "
        f"{medium} of medium danger worth 0.{worth[1]:02} each, and {low} of low danger worth 0.{worth[2]:02} each, "
        f"and allowed {goals} goals. How many goals did the goaltender save above expected, per 60 minutes?"
    )
    above = expected - goals
    values = (("Expected goals", _step(expected, "", None)), ("Goals saved", _step(above, "", None)))
    rate = per_60(above, 60 * minutes)
    return Steps(Problem(text, rate, "per 60", 2, (-rate, per_60(expected, 60 * minutes), above)), values)


def shooting_and_saving(draws: Draws) -> Steps:
    """PDO from its two percentages."""
    player = draws.choice(PLAYERS)
    shots, faced = draws.between(150, 450), draws.between(150, 450)
    goals, against = draws.between(9, shots // 8), draws.between(9, faced // 8)
    text = (
        f"With {player} on the ice the team scored {goals} goals on {shots} shots on goal. Its goaltenders faced "
        f"{faced} shots on goal and made {faced - against} saves. What is {player}'s on-ice PDO, on the scale on which "
        "100 is average?"
    )
    values = (
        ("Shooting percentage", _step(percent(goals, shots), "%", 1)),
        ("Save percentage", _step(save_percentage(faced, against), "%", 1)),
    )
    right = pdo(goals, shots, against, faced)
    mistakes = (percent(goals, shots) + percent(against, faced), percent(goals + faced - against, shots + faced) * 2)
    return Steps(Problem(text, right, "%", 1, mistakes), values)


def power_play(draws: Draws) -> Steps:
    """Goals above what the league's success rate would give."""
    home, road = draws.between(60, 150), draws.between(60, 150)
    scored = (draws.between(home // 8, home // 3), draws.between(road // 8, road // 3))
    league = Fraction(draws.between(180, 230), 10)
    text = (
        f"The power play scored {scored[0]} goals on {home} chances at home and {scored[1]} goals on {road} chances on "
        f"the road. The league's success rate is {float(league):.1f} %. How many goals more (negative: fewer) did it "
        "score than at the league's rate on as many chances?"
    )
    chances, goals = home + road, sum(scored)
    success = percent(goals, chances)
    values = (("Chances", _step(chances, "", None)), ("Success rate", _step(success, "%", 1)))
    right = goals - chances * league / 100
    mistakes = (-right, success - league, (percent(scored[0], home) + percent(scored[1], road)) / 2 - league)
    return Steps(Problem(text, right, "", 1, mistakes), values)


def two_lines(draws: Draws) -> Steps:
    """The expected goals per 60 minutes of one line less those of another."""
    rates, texts, seconds, worth = [], [], [], []
    for name in ("first", "second"):
        hundredths, time = draws.between(150, 1500), draws.between(40 * 60, 300 * 60)
        worth.append(Fraction(hundredths, 100))
        seconds.append(time)
        rates.append(per_60(worth[-1], time))
        texts.append(
            f"The {name} line created {hundredths // 100}.{hundredths % 100:02} expected goals in {time // 60} minutes "
            f"{time % 60} seconds."
        )
    text = (
        f"{' '.join(texts)} By how much does the first line's rate of expected goals per 60 minutes exceed the "
        "second's (negative: fall short of it)?"
    )
    values = (("First line", _step(rates[0], "per 60", 2)), ("Second line", _step(rates[1], "per 60", 2)))
    right = rates[0] - rates[1]
    mistakes = (-right, worth[0] - worth[1], per_60(sum(worth), sum(seconds)))
    return Steps(Problem(text, right, "per 60", 2, mistakes), values)


def faceoffs(draws: Draws) -> Steps:
    """Faceoffs still to be won for a success rate over the whole season."""
    player, taken = draws.choice(PLAYERS), 20 * draws.between(20, 50)
    more, rate = draws.between(taken // 4, taken // 2), 5 * draws.between(9, 11)
    target = rate + draws.between(1, 4)
    won, total = taken * rate // 100, -(-(taken + more) * target // 100)
    text = (
        f"{player} won {rate} % of {taken} faceoffs and will take {more} more, the last ones against "
        f"{draws.choice(OPPONENTS)}. How many of these {more} does {player} have to win at least, to have won at least "
        f"{target} % of all faceoffs in the end?"
    )
    values = (("Won so far", _step(won, "", None)), ("Wins needed", _step(total, "", None)))
    rounded_down = [Fraction(total - 1 - won)] if (taken + more) * target % 100 else []
    mistakes = (Fraction(-(-more * target // 100)), Fraction(total), *rounded_down)
    return Steps(Problem(text, Fraction(total - won), "", None, mistakes), values)


STEPS: dict[str, Callable[[Draws], Steps]] = {
    "relative-corsi": relative_corsi,
    "goals-saved": goals_saved,
    "shooting-and-saving": shooting_and_saving,
    "power-play": power_play,
    "two-lines": two_lines,
    "faceoffs": faceoffs,
}
"""By kind, in the order of their turns."""
