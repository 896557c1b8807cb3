"""A template on trial: a conversation of two turns, rendered and searched for the assistant's words as in a job."""

from __future__ import annotations

from datetime import datetime

from hbspec.chat_templates.budget import limited
from hbspec.chat_templates.rendering import TemplateRefusedError, renderer
from hbspec.chat_templates.spoken import Render, answers

TWO_TURNS = (
    {"role": "user", "content": "Who leads the league?"},
    {"role": "assistant", "content": "Montreal does."},
    {"role": "user", "content": "And who is second?"},
    {"role": "assistant", "content": "Toronto is."},
)
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - templates print the day alone
"""What `strftime_now` of transformers gives here, so that no verdict depends on the clock."""


def stand_in(template: str) -> Render:
    """A template as a function, with special tokens and a day that stand for those of the job.

    Raises:
        ImportError: jinja2 is not installed.
        TemplateRefusedError: the template does not parse.
    """
    return renderer(template, {**SPECIAL, "strftime_now": DAY.strftime})


def fault_of(template: str) -> str | None:
    """What keeps a template from training conversations, in words that follow its name; None where nothing does.

    Raises:
        ImportError: jinja2 is not installed.
    """
    try:
        render = stand_in(template)
    except TemplateRefusedError as reason:
        return f"is not a Jinja template: {reason}"
    try:
        with limited():
            text, spoken = answers(render, TWO_TURNS)
    except Exception as reason:  # a template can raise any exception
        return f"does not render a conversation of two turns: {reason or type(reason).__name__}"
    lost = [message["content"] for message in TWO_TURNS if message["content"] not in text]
    if lost:
        return (
            f"does not render a conversation of two turns: {lost[0]!r} of {len(TWO_TURNS)} messages is not in the text"
        )
    said = [message["content"] for message in TWO_TURNS if message["role"] == "assistant"]
    found = [text[answer.start : answer.end] for answer in spoken]
    wrong = [words for words, stretch in zip(said, found, strict=True) if words not in stretch]
    return f"does not show where the answer {wrong[0]!r} begins and ends" if wrong else None
