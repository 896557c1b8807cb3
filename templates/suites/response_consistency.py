"""The suite response-consistency: one question in several words, to several people, has one answer.

A group is one problem asked four times: its facts in other orders, its question in other words, and each time another
person asks. The group is the template of its items. An answer by itself is right if it keeps the persona's voice
(`voices.py`) and its number is the group's, which is calculated: a model that says 50 % every time is consistent, and
useful to nobody. `score_group` then counts a group as right only if all its answers are: one who asks twice must not
hear two numbers. The problems are easy, so that what is measured is not arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from . import answers
from .answers import FORM, asked_of
from .draws import Draws
from .hockey_metrics import per_60, percent, share
from .items import Item, Scored, by_template, digest_of
from .problems import OPPONENTS, PLAYERS, TOKENS, Problem, told, told_apart
from .voices import ROLES, heard, persona

NAME = "response-consistency"
VERSION = 1
SAMPLE = 64
"""Items that the digest is made of."""


class Group(NamedTuple):
    """A problem with its paraphrases.

    Attributes:
        problem: whose text is left empty.
        facts: sentences in any order, each in one or more wordings.
        questions: as many wordings as there are `ROLES`.
    """

    problem: Problem
    facts: tuple[tuple[str, ...], ...]
    questions: tuple[str, ...]

    @property
    def is_told_apart(self) -> bool:
        """As `Problem` has it."""
        return self.problem.is_told_apart


@dataclass(frozen=True)
class ResponseConsistency:
    """Groups of `len(ROLES)` items, one after the other; the last group is not whole where `count` ends in it."""

    name: str = NAME

    @cached_property
    def digest(self) -> str:
        """As `Suite` has it."""
        return digest_of(NAME, VERSION * 1000 + answers.VERSION, self.items(0, SAMPLE))

    def items(self, seed: int, count: int) -> Iterator[Item]:
        """As `Suite` has it; each group is decided by the seed and its position alone."""
        names, size = list(GROUPS), len(ROLES)
        for position in range(count):
            number, place = divmod(position, size)
            name = names[number % len(names)]
            draws = Draws(NAME, seed, number)
            group = told_apart(GROUPS[name], draws)
            yield _asked(f"{seed}-{number}-{name}", name, group, place, draws)

    def score(self, item: Item, answer: str) -> Scored:
        """As `Suite` has it. Kinds of its own: `out of voice` and `other language`."""
        return answers.silent(answer) or heard(answers.spoken(answer) or "") or _number(item, answer)

    def score_group(self, items: Sequence[Item], texts: Sequence[str]) -> list[Scored]:
        """One result for each item, in order: right where every answer of its group is.

        An answer that is right by itself is `inconsistent` where another one of its group is not right.
        """
        alone = [self.score(item, text) for item, text in zip(items, texts, strict=True)]
        for places in by_template(items).values():
            others = [alone[place] for place in places if not alone[place].right]
            if others:
                for place in places:
                    if alone[place].right:
                        detail = f"{alone[place].detail}; another answer of the group: {others[0].detail}"
                        alone[place] = Scored(False, "inconsistent", detail)
        return alone


def _number(item: Item, answer: str) -> Scored:
    return answers.judged(asked_of(item.reference), answer)


def _asked(key: str, stratum: str, group: Group, place: int, draws: Draws) -> Item:
    """The item of a group for one person; the draws have made the group, and go on alike for each of its items."""
    orders = [draws.shuffled(range(len(group.facts))) for _ in ROLES]
    questions = draws.shuffled(group.questions)
    facts = [group.facts[fact][(place + fact) % len(group.facts[fact])] for fact in orders[place]]
    problem = group.problem
    form = f"Give the number {told(problem.unit, problem.decimals)}. {FORM}"
    messages = (
        {"role": "system", "content": persona(ROLES[place])},
        {"role": "user", "content": f"{' '.join(facts)} {questions[place]}\n\n{form}"},
    )
    return Item(f"{key}-{ROLES[place]}", key, messages, {**problem.asked.reference(), "stratum": stratum}, TOKENS)


def shooting(draws: Draws) -> Group:
    """A player's shooting percentage."""
    player, shots = draws.choice(PLAYERS), draws.between(60, 300)
    goals, games = draws.between(5, shots // 5), draws.between(30, 82)
    facts = (
        (f"{player} scored {goals} goals.", f"{goals} goals were scored by {player}."),
        (f"{player} had {shots} shots on goal.", f"The goaltenders faced {shots} shots on goal by {player}."),
        (f"{player} played {games} games.", f"The figures are of {games} games."),
    )
    questions = (
        f"What is {player}'s shooting percentage?",
        f"How large is the share of {player}'s shots on goal that were goals?",
        f"In percent, how often did a shot on goal by {player} go in?",
        f"Tell me the shooting percentage of {player}.",
    )
    mistakes = (percent(goals, games), percent(goals, shots + goals))
    return Group(Problem("", percent(goals, shots), "%", 1, mistakes), facts, questions)


def possession(draws: Draws) -> Group:
    """The team's share of shot attempts."""
    opponent, own, other = draws.choice(OPPONENTS), draws.between(30, 90), draws.between(30, 90)
    facts = (
        (f"We had {own} shot attempts at 5-on-5.", f"Our shot attempts at 5-on-5: {own}."),
        (f"{opponent} had {other} shot attempts at 5-on-5.", f"The shot attempts of {opponent} at 5-on-5: {other}."),
        (f"The game against {opponent} took {draws.between(60, 65)} minutes.",),
    )
    questions = (
        "What was our Corsi for percentage?",
        "What was our share of all shot attempts at 5-on-5?",
        "Of all shot attempts at 5-on-5 in this game, how many in a hundred were ours?",
        "Tell me our CF% at 5-on-5.",
    )
    right = share(own, other)
    mistakes = (100 - right, percent(own, other))
    return Group(Problem("", right, "%", 1, mistakes), facts, questions)


def scoring_rate(draws: Draws) -> Group:
    """A player's points per 60 minutes."""
    player, points, minutes = draws.choice(PLAYERS), draws.between(8, 70), draws.between(300, 1500)
    games = draws.between(25, 82)
    facts = (
        (f"{player} has {points} points.", f"So far, {player} has collected {points} points."),
        (f"{player}'s time on ice is {minutes} minutes.", f"{player} was on the ice for {minutes} minutes in all."),
        (f"{player} dressed for {games} games.",),
    )
    questions = (
        f"How many points does {player} have per 60 minutes?",
        f"What is {player}'s points rate per 60 minutes of ice time?",
        f"At this pace, how many points would an hour on the ice give {player}?",
        f"Tell me {player}'s points per 60.",
    )
    right = per_60(points, 60 * minutes)
    return Group(
        Problem("", right, "per 60", 2, (Fraction(points, games), Fraction(points, minutes))), facts, questions
    )


def goal_difference(draws: Draws) -> Group:
    """The team's goals less those against it, over some games."""
    opponent, own, other = draws.choice(OPPONENTS), draws.between(8, 40), draws.between(8, 40)
    games = draws.between(5, 12)
    facts = (
        (f"We scored {own} goals against {opponent}.", f"{opponent} allowed us {own} goals."),
        (f"We allowed {opponent} {other} goals.", f"{opponent} scored {other} goals against us."),
        (f"We met {opponent} {games} times.", f"There were {games} games between {opponent} and us."),
    )
    questions = (
        f"What is our goal differential against {opponent} over all these games?",
        f"How many goals more (negative: fewer) than {opponent} did we score?",
        f"By how many goals are we ahead of {opponent} in total (negative: behind)?",
        f"Tell me our goals for less our goals against, against {opponent}.",
    )
    right = Fraction(own - other)
    return Group(Problem("", right, "", None, (-right, Fraction(own + other))), facts, questions)


GROUPS: dict[str, Callable[[Draws], Group]] = {
    "shooting": shooting,
    "possession": possession,
    "scoring-rate": scoring_rate,
    "goal-difference": goal_difference,
}
"""By kind, in the order of their turns."""
