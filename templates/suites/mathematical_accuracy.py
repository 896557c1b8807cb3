"""The suite mathematical-accuracy: one metric from stated counts, each problem with facts that it does not need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from . import answers
from .draws import Draws
from .hockey_metrics import Attempts, Shift, pdo, per_60, percent, ratings, save_percentage, share
from .items import Item, Scored, digest_of
from .problems import OPPONENTS, PLAYERS, TEAM, TOKENS, Problem, clock, item, listed, told_apart

NAME = "mathematical-accuracy"
VERSION = 1
SAMPLE = 60
"""Items that the digest is made of."""
RAPM_TOKENS = 3072


@dataclass(frozen=True)
class MathematicalAccuracy:
    """Metrics take turns, so that any `count` is balanced; an item's metric is its stratum."""

    name: str = NAME

    @cached_property
    def digest(self) -> str:
        """As `Suite` has it."""
        return digest_of(NAME, VERSION * 1000 + answers.VERSION, self.items(0, SAMPLE))

    def items(self, seed: int, count: int) -> Iterator[Item]:
        """As `Suite` has it; each item is decided by the seed and its position alone."""
        names = list(PROBLEMS)
        for position in range(count):
            metric = names[position % len(names)]
            problem = told_apart(PROBLEMS[metric], Draws(NAME, seed, position))
            tokens = RAPM_TOKENS if metric == "ridge-rapm" else TOKENS
            yield item(f"{seed}-{position}-{metric}", metric, problem, tokens)

    def score(self, item: Item, answer: str) -> Scored:
        """As `Suite` has it: the number of the final answer, by the rule of `answers.py`."""
        return answers.judged(answers.asked_of(item.reference), answer)


def attempts(draws: Draws) -> Attempts:
    """A team's attempts in some games at even strength."""
    return Attempts(draws.between(20, 90), draws.between(8, 40), draws.between(6, 45))


def played(draws: Draws) -> tuple[Attempts, Attempts, str]:
    """The attempts of both teams, and the text that says them, with minutes that no share needs."""
    own, other, opponent = attempts(draws), attempts(draws), draws.choice(OPPONENTS)
    sides = [
        f"The Canadiens had {own.on_goal} shots on goal, goals included, missed the net with {own.missed} shots, "
        f"and had {own.blocked} shots blocked.",
        f"{opponent} had {other.on_goal} shots on goal, goals included, missed the net with {other.missed} shots, "
        f"and had {other.blocked} shots blocked.",
    ]
    if draws.below(2):
        sides.reverse()
    time = f"At 5-on-5, {TEAM} and {opponent} played {draws.between(40, 95)} minutes."
    return own, other, " ".join([time, *sides])


def corsi_for(draws: Draws) -> Problem:
    """All attempts of the team."""
    own, other, text = played(draws)
    mistakes = (Fraction(own.fenwick), Fraction(own.on_goal), Fraction(other.corsi))
    return Problem(f"{text} What is the Corsi for of {TEAM}?", Fraction(own.corsi), "", None, mistakes)


def corsi_against(draws: Draws) -> Problem:
    """All attempts of the opponent."""
    own, other, text = played(draws)
    mistakes = (Fraction(other.fenwick), Fraction(other.on_goal), Fraction(own.corsi))
    return Problem(f"{text} What is the Corsi against of {TEAM}?", Fraction(other.corsi), "", None, mistakes)


def corsi_percentage(draws: Draws) -> Problem:
    """The team's share of all attempts."""
    own, other, text = played(draws)
    right, fenwick = share(own.corsi, other.corsi), share(own.fenwick, other.fenwick)
    mistakes = (fenwick, 100 - right, share(own.on_goal, other.on_goal), percent(own.corsi, other.corsi))
    return Problem(f"{text} What is the Corsi for percentage of {TEAM}?", right, "%", 1, mistakes)


def fenwick_for(draws: Draws) -> Problem:
    """Attempts of the team that were not blocked."""
    own, other, text = played(draws)
    mistakes = (Fraction(own.corsi), Fraction(own.on_goal), Fraction(other.fenwick))
    return Problem(f"{text} What is the Fenwick for of {TEAM}?", Fraction(own.fenwick), "", None, mistakes)


def fenwick_against(draws: Draws) -> Problem:
    """Attempts of the opponent that were not blocked."""
    own, other, text = played(draws)
    mistakes = (Fraction(other.corsi), Fraction(other.on_goal), Fraction(own.fenwick))
    return Problem(f"{text} What is the Fenwick against of {TEAM}?", Fraction(other.fenwick), "", None, mistakes)


def fenwick_percentage(draws: Draws) -> Problem:
    """The team's share of the attempts that were not blocked."""
    own, other, text = played(draws)
    right, corsi = share(own.fenwick, other.fenwick), share(own.corsi, other.corsi)
    mistakes = (corsi, 100 - right, share(own.on_goal, other.on_goal), percent(own.fenwick, other.fenwick))
    return Problem(f"{text} What is the Fenwick for percentage of {TEAM}?", right, "%", 1, mistakes)


def on_ice_pdo(draws: Draws) -> Problem:
    """Shooting percentage plus save percentage, around 100."""
    player = draws.choice(PLAYERS)
    shots, shots_against = draws.between(80, 400), draws.between(80, 400)
    goals, against = draws.between(4, shots // 7), draws.between(4, shots_against // 7)
    text = (
        f"With {player} on the ice at 5-on-5, {TEAM} scored {goals} goals on {shots} shots on goal and allowed "
        f"{against} goals on {shots_against} shots on goal, in {draws.between(20, 60)} games. What is {player}'s "
        "on-ice PDO, on the scale on which 100 is average?"
    )
    right = pdo(goals, shots, against, shots_against)
    mistakes = (
        percent(goals, shots) + percent(against, shots_against),
        pdo(against, shots_against, goals, shots),
        save_percentage(shots_against, against),
    )
    return Problem(text, right, "%", 1, mistakes)


def saved(draws: Draws) -> Problem:
    """Of the shots on goal, those saved; half the time the saves are stated instead of the shots."""
    shots = draws.between(200, 900)
    goals = draws.between(shots // 25, shots // 8)
    faced = f"made {shots - goals} saves" if draws.below(2) else f"faced {shots} shots on goal"
    text = (
        f"In {draws.between(8, 30)} games a goaltender {faced} and allowed {goals} goals. What is the goaltender's "
        "save percentage?"
    )
    mistakes = (percent(goals, shots), save_percentage(shots - goals, goals), percent(shots, shots + goals))
    return Problem(text, save_percentage(shots, goals), "%", 1, mistakes)


def shot_well(draws: Draws) -> Problem:
    """Of a player's shots on goal, those that were goals; attempts are stated, too."""
    player, on_goal = draws.choice(PLAYERS), draws.between(60, 300)
    goals, other = draws.between(4, on_goal // 5), draws.between(20, 150)
    text = (
        f"In {draws.between(30, 82)} games {player} had {on_goal + other} shot attempts, of which {on_goal} were on "
        f"goal, and scored {goals} goals. What is {player}'s shooting percentage?"
    )
    mistakes = (percent(goals, on_goal + other), percent(on_goal, on_goal + other), percent(goals, on_goal + goals))
    return Problem(text, percent(goals, on_goal), "%", 1, mistakes)


def rate(draws: Draws) -> Problem:
    """A player's points per 60 minutes, from the time on ice per game."""
    player, games, seconds = draws.choice(PLAYERS), draws.between(10, 82), draws.between(11 * 60 + 1, 26 * 60)
    points = draws.between(max(5, games // 4), 2 * games)
    text = (
        f"{player} had {points} points in {games} games, with {clock(seconds)} of time on ice per game. What is "
        f"{player}'s rate of points?"
    )
    mistakes = (Fraction(points, games), per_60(points, seconds), per_60(points, games * (seconds // 60) * 60))
    is_whole = seconds % 60 == 0
    return Problem(text, per_60(points, games * seconds), "per 60", 2, mistakes[: 2 if is_whole else 3])


def expected_goals_differential(draws: Draws) -> Problem:
    """The chances of the team less those of the opponent, each with its expected goals."""
    opponent, goals = draws.choice(OPPONENTS), [draws.below(5), draws.below(5)]
    own, other = ([draws.between(2, 60) for _ in range(draws.between(3, 6))] for _ in range(2))
    texts = [listed([f"0.{hundredths:02}" for hundredths in chances]) for chances in (own, other)]
    text = (
        f"The Canadiens had chances worth {texts[0]} expected goals; {opponent} had chances worth {texts[1]} "
        f"expected goals. The score was {goals[0]} to {goals[1]}. What is the expected-goals differential of {TEAM}?"
    )
    right = Fraction(sum(own) - sum(other), 100)
    return Problem(text, right, "", None, (-right, Fraction(goals[0] - goals[1]), Fraction(sum(own) + sum(other), 100)))


def ridge_rapm(draws: Draws) -> Problem:
    """A player's rating of a ridge regression over a few shifts, whose closed form the text gives."""
    count = draws.between(2, 3)
    names, penalty = draws.some(PLAYERS, count), draws.choice((1, 2, 4, 5, 10))
    combinations = [(0,), (1,), (0, 1)] if count == 2 else [(0,), (1, 2), (0, 1), (0, 2), (1,), (0, 1, 2)]
    chosen = draws.some(combinations, draws.between(count, count + 1))
    shifts = [Shift(players, draws.between(2, 9), Fraction(draws.between(-12, 12), 2)) for players in chosen]
    asked = draws.choice(sorted({player for shift in shifts for player in shift.players}))
    lines = [
        f"Shift {number}: {shift.minutes} minutes, {listed([names[player] for player in shift.players])} on the ice, "
        f"expected-goals differential {float(shift.outcome):+.1f} per 60 minutes."
        for number, shift in enumerate(shifts, 1)
    ]
    text = "\n".join([
        f"Estimate a regularized adjusted plus-minus (RAPM) of {listed(names)} from these shifts:",
        *lines,
        "The ratings minimise the sum over the shifts of minutes x (differential - sum of the ratings of those on the "
        f"ice)^2, plus {penalty} x the sum of the squared ratings. The regression has no intercept.",
        f"What is {names[asked]}'s rating?",
    ])  # fmt: skip
    unweighted = [shift._replace(minutes=1) for shift in shifts]
    right = ratings(shifts, count, penalty)[asked]
    mistakes = (ratings(unweighted, count, penalty)[asked], -right, Fraction(0))
    return Problem(text, right, "per 60", 2, mistakes)


PROBLEMS: dict[str, Callable[[Draws], Problem]] = {
    "corsi-for": corsi_for,
    "corsi-against": corsi_against,
    "corsi-percentage": corsi_percentage,
    "fenwick-for": fenwick_for,
    "fenwick-against": fenwick_against,
    "fenwick-percentage": fenwick_percentage,
    "pdo": on_ice_pdo,
    "save-percentage": saved,
    "shooting-percentage": shot_well,
    "rate-per-60": rate,
    "expected-goals-differential": expected_goals_differential,
    "ridge-rapm": ridge_rapm,
}
"""By metric, in the order of their turns."""
