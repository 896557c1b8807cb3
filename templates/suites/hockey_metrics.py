"""Metrics of hockey analytics, exact: counts in, fractions out.

Definitions: shot attempts, also called Corsi, are shots on goal, missed shots and blocked shots; unblocked attempts,
also called Fenwick, leave out the blocked ones; PDO is shooting percentage plus save percentage
(https://en.wikipedia.org/wiki/Analytics_(ice_hockey)). A goal is a shot on goal. RAPM is a ridge regression of
the shifts' outcome on who was on the ice (https://evolving-hockey.com/glossary/regularized-adjusted-plus-minus/), here
without intercept, zone starts and score.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Attempts(NamedTuple):
    """A team's shot attempts, by what became of them; goals are on goal."""

    on_goal: int
    missed: int
    blocked: int

    @property
    def corsi(self) -> int:
        """All attempts."""
        return self.on_goal + self.missed + self.blocked

    @property
    def fenwick(self) -> int:
        """Attempts that were not blocked."""
        return self.on_goal + self.missed


class Shift(NamedTuple):
    """A shift of a regression.

    Attributes:
        players: positions of those on the ice.
        minutes: its length, the weight.
        outcome: its expected-goals differential per 60 minutes.
    """

    players: tuple[int, ...]
    minutes: int
    outcome: Fraction


def percent(part: Fraction | int, whole: Fraction | int) -> Fraction:
    """A share in percent."""
    return Fraction(100 * part) / whole


def share(own: int, other: int) -> Fraction:
    """What a team has of what both teams have, in percent: Corsi for percentage and its like."""
    return percent(own, own + other)


def save_percentage(shots: int, goals: int) -> Fraction:
    """Of the shots on goal, those saved, in percent."""
    return percent(shots - goals, shots)


def pdo(goals: int, shots: int, goals_against: int, shots_against: int) -> Fraction:
    """Shooting percentage plus save percentage, around 100."""
    return percent(goals, shots) + save_percentage(shots_against, goals_against)


def per_60(amount: Fraction | int, seconds: int) -> Fraction:
    """A rate per 60 minutes."""
    return Fraction(3600 * amount) / seconds


def ratings(shifts: Sequence[Shift], players: int, penalty: int) -> list[Fraction]:
    """RAPM of each player: the minimum of sum of minutes x (outcome - ratings on the ice)^2 + penalty x ratings^2.

    Solves (X'WX + penalty I) b = X'Wy exactly. A penalty of at least 1 makes the matrix positive definite.

    Raises:
        ZeroDivisionError: the penalty is 0 and the shifts do not tell the players apart.
    """
    matrix = [[Fraction(penalty if row == column else 0) for column in range(players)] for row in range(players)]
    right = [Fraction(0)] * players
    for shift in shifts:
        for row in shift.players:
            right[row] += shift.minutes * shift.outcome
            for column in shift.players:
                matrix[row][column] += shift.minutes
    return solved(matrix, right)


def solved(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction]:
    """The solution of a system of linear equations, by Gauss-Jordan elimination.

    Raises:
        ZeroDivisionError: it has not exactly one.
    """
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = next((row for row in range(column, size) if rows[row][column]), column)
        rows[column], rows[pivot] = rows[pivot], rows[column]
        lead = rows[column][column]
        rows[column] = [value / lead for value in rows[column]]
        for row in range(size):
            if row != column and (factor := rows[row][column]):
                rows[row] = [value - factor * other for value, other in zip(rows[row], rows[column], strict=True)]
    return [row[size] for row in rows]
