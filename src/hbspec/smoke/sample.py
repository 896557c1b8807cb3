"""A small synthetic data set for rehearsals without the real data; its texts say that it is synthetic.

Its columns are those of the data that the job reads, under the same names.
"""

from __future__ import annotations

import json
from typing import Any

from hbspec.spec.data import Data

EXAMPLES, VALIDATION = 96, 16
_SUBJECTS = ("expected goals", "Corsi", "zone entries", "power-play success", "face-off wins", "high-danger chances")
_ANSWER = (
    "This is a synthetic example. **Step 1:** query the table for {subject}. **Step 2:** average game {game} with the "
    "season. The difference is {difference}."
)


def training_lines(data: Data) -> str:
    """The training split of a spec's data: JSON lines, always the same."""
    return _lines(range(EXAMPLES), data)


def validation_lines(data: Data) -> str:
    """The validation split: other examples of the same form."""
    return _lines(range(EXAMPLES, EXAMPLES + VALIDATION), data)


def _lines(numbers: range, data: Data) -> str:
    names = data.columns.model_dump(exclude_none=True) if data.columns else {}
    rows = (_row(_messages(number), data) for number in numbers)
    return "".join(json.dumps({names.get(key, key): held for key, held in row.items()}) + "\n" for row in rows)


def _row(messages: list[dict[str, str]], data: Data) -> dict[str, Any]:
    if data.type == "prompt_completion":
        row: dict[str, Any] = {"prompt": messages[:-1], "completion": messages[-1:]}
    else:
        row = {"messages": messages}
    if data.format != "standard":
        return row
    texts = {key: "\n".join(message["content"] for message in held) for key, held in row.items()}
    return {"text" if key == "messages" else key: text for key, text in texts.items()}


def _messages(number: int) -> list[dict[str, str]]:
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return [
        {"role": "system", "content": "You are an analytics assistant in a synthetic sample."},
        {"role": "user", "content": f"How did {subject} change in game {number}?"},
        {"role": "assistant", "content": _ANSWER.format(subject=subject, game=number, difference=number * 7 % 23)},
    ]
