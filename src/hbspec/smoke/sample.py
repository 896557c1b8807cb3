"""A small synthetic data set for rehearsals without the real data; its texts say that it is synthetic.

Its columns are those of the data that the job reads, under the same names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hbspec.spec.data import Data

EXAMPLES, VALIDATION = 96, 16
_SUBJECTS = ("expected goals", "Corsi", "zone entries", "power-play success", "face-off wins", "high-danger chances")
_ANSWER = (
    "This is a synthetic example. **Step 1:** query the table for {subject}. **Step 2:** average game {game} with the "
    "season. The difference is {difference}."
)
_WORSE = "No table of this synthetic sample holds {subject}."
Turns = list[dict[str, str]]


def training_lines(data: Data, beside: Sequence[str] = ()) -> str:
    """The training split of a spec's data: JSON lines, always the same.

    Args:
        data: the section of the spec.
        beside: columns beside those of the type; each holds the right answer's number, as a text.
    """
    return _lines(range(EXAMPLES), data, beside)


def validation_lines(data: Data, beside: Sequence[str] = ()) -> str:
    """The validation split: other examples of the same form."""
    return _lines(range(EXAMPLES, EXAMPLES + VALIDATION), data, beside)


def _lines(numbers: range, data: Data, beside: Sequence[str]) -> str:
    names = data.columns.model_dump(exclude_none=True) if data.columns else {}
    make = (
        _preference_with_prompt
        if "prompt" in names and data.type == "preference"
        else _ROWS.get(data.type, _conversation)
    )
    rows = [make(number) for number in numbers]
    if data.format == "standard":
        rows = [{_STANDARD.get(key, key): _text(held) for key, held in row.items()} for row in rows]
    named = ({names.get(key, key): held for key, held in row.items()} for row in rows)
    answers = (dict.fromkeys(beside, str(_difference(number))) for number in numbers)
    return "".join(json.dumps(extra | row) + "\n" for row, extra in zip(named, answers, strict=True))


_STANDARD = {"messages": "text"}
"""Columns that have another name where they hold plain texts."""


def _text(held: Any) -> Any:
    """Messages as a plain text; a label is none."""
    if isinstance(held, list):
        return "\n".join(message["content"] for message in held)
    return held


def _question(number: int) -> Turns:
    return [
        {"role": "system", "content": "You are an analytics assistant in a synthetic sample."},
        {"role": "user", "content": f"How did {_subject(number)} change in game {number}?"},
    ]


def _answer(number: int) -> Turns:
    content = _ANSWER.format(subject=_subject(number), game=number, difference=_difference(number))
    return [{"role": "assistant", "content": content}]


def _worse(number: int) -> Turns:
    return [{"role": "assistant", "content": _WORSE.format(subject=_subject(number))}]


def _subject(number: int) -> str:
    return _SUBJECTS[number % len(_SUBJECTS)]


def _difference(number: int) -> int:
    return number * 7 % 23


def _conversation(number: int) -> dict[str, Any]:
    return {"messages": _question(number) + _answer(number)}


def _prompt(number: int) -> dict[str, Any]:
    return {"prompt": _question(number)}


def _prompt_completion(number: int) -> dict[str, Any]:
    return {"prompt": _question(number), "completion": _answer(number)}


def _preference_with_prompt(number: int) -> dict[str, Any]:
    return {"prompt": _question(number), "chosen": _answer(number), "rejected": _worse(number)}


def _preference(number: int) -> dict[str, Any]:
    """A pair with its prompt in a column or, every other one, in both answers: the type has both forms."""
    if number % 2 == 0:
        return _preference_with_prompt(number)
    return {"chosen": _question(number) + _answer(number), "rejected": _question(number) + _worse(number)}


def _unpaired_preference(number: int) -> dict[str, Any]:
    good = number % 2 == 0
    return {"prompt": _question(number), "completion": _answer(number) if good else _worse(number), "label": good}


_ROWS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "language_modeling": _conversation,
    "prompt_only": _prompt,
    "prompt_completion": _prompt_completion,
    "preference": _preference,
    "unpaired_preference": _unpaired_preference,
}
"""By dataset type: those that the shipped script trains."""
