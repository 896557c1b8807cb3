"""Where in a rendered conversation the assistant speaks, asked of any chat template.

The text is what the template makes of the messages. Which part of it the assistant says is found by rendering each
assistant turn once more with a mark in place of its words: what stands before and after the mark is the template's,
what the full text has in between is the assistant's. Only the standard library is imported: hbspec asks the same of a
template before a job is paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MARK = "\ue000assistant\ue001"
"""Stands for an assistant's words: private-use characters, so that no trimming touches it and no data holds it."""

Message = Mapping[str, str]
Render = Callable[[Sequence[Message], bool], str]
"""Messages to text; the flag asks for the opening of the next assistant turn at the end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Where an assistant turn stands in the text: characters `start` to `end`, its closing token not included."""

    start: int
    end: int


def answers(render: Render, messages: Sequence[Message]) -> tuple[str, list[Answer]]:
    """The conversation's text, and where the assistant's turns stand in it.

    A turn begins where the template asked for a generation prompt and the template given an answer part ways: so a
    `<think>` that stands before answers but not in the prompt is learnt, one that the prompt ends with is not.

    Raises:
        ValueError: the template changes other parts of the text with an answer's words, so they cannot be found.
    """
    text = render(messages, False)
    found: list[Answer] = []
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            marked = [*messages[:index], {**message, "content": MARK}, *messages[index + 1 :]]
            before, mark, after = render(marked, False).partition(MARK)
            opening = _opening(render, messages[:index])
            start = len(before) - (len(opening) if before.endswith(opening) else 0)
            end = len(text) - len(after)
            if not mark or end < start or text[:start] != before[:start] or text[end:] != after:
                raise ValueError(f"the chat template leaves no trace of where messages[{index}] begins and ends")
            found.append(Answer(start, end))
    return text, found


def _opening(render: Render, earlier: Sequence[Message]) -> str:
    """What the template itself says at the start of an answer and a generation prompt does not."""
    if not earlier:
        return ""  # many templates refuse an empty conversation
    answered = render([*earlier, {"role": "assistant", "content": MARK}], False).partition(MARK)[0]
    return answered[shared(answered, render(earlier, True)) :]


def shared(one: Sequence[object], other: Sequence[object]) -> int:
    """How many characters, or ids, two texts begin with in common."""
    shorter = min(len(one), len(other))
    return next((index for index in range(shorter) if one[index] != other[index]), shorter)
