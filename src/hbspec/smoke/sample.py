"""A small synthetic data set for rehearsals without the real data; its texts say that it is synthetic."""

from __future__ import annotations

import json

EXAMPLES, VALIDATION = 96, 16
_SUBJECTS = ("expected goals", "Corsi", "zone entries", "power-play success", "face-off wins", "high-danger chances")
_ANSWER = (
    "This is a synthetic example. **Step 1:** query the table for {subject}. **Step 2:** average game {game} with the "
    "season. The difference is {difference}."
)


def training_lines() -> str:
    """The training split: JSON lines of conversations, always the same."""
    return _lines(range(EXAMPLES))


def validation_lines() -> str:
    """The validation split: other conversations of the same form."""
    return _lines(range(EXAMPLES, EXAMPLES + VALIDATION))


def _lines(numbers: range) -> str:
    return "".join(json.dumps({"messages": _messages(number)}) + "\n" for number in numbers)


def _messages(number: int) -> list[dict[str, str]]:
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return [
        {"role": "system", "content": "You are an analytics assistant in a synthetic sample."},
        {"role": "user", "content": f"How did {subject} change in game {number}?"},
        {"role": "assistant", "content": _ANSWER.format(subject=subject, game=number, difference=number * 7 % 23)},
    ]
