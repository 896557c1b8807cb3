"""The splits of a job as rows of tokens, and what its tokenizer and model are told of the chat template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
from accelerate import PartialState
from conversations import IGNORED, Tally, encode, labelled, prompted_only, template_of
from counting import EXAMPLE
from datasets import Dataset
from encoding import RowTally, encode_rows, room
from fingerprint import Fingerprint, chat_template
from handover import problems_of
from job_examples import Columns, Conversation, Example
from saving import refuse_together
from settings import RefusedError, Settings
from spoken import Message, answers
from tasks import SUPERVISED

ENDINGS = "generation_config.json"
"""Which tokens end an answer, among other things (transformers, `GENERATION_CONFIG_NAME`)."""


def use_template(tokenizer: Any, settings: Settings, fingerprint: Fingerprint) -> None:
    """Gives the tokenizer the job's own chat template, if it has one; it is saved with the tokenizer.

    Raises:
        RefusedError: its file was replaced since the fingerprint was made.
    """
    found: list[str | None] = []
    refuse_together(problems_of(lambda: found.append(chat_template(settings, fingerprint))))
    if found[0] is not None:
        tokenizer.chat_template = found[0]


def end_answers(model: Any, tokenizer: Any, example: Example) -> None:
    """Adds the token with which the template ends an answer to those that end a generation.

    A base model's own is another one (Llama 3.1's `<|end_of_text|>`, while its chat models end with `<|eot_id|>`), and
    an engine that waits for it generates up to its limit. vLLM stops at any of the list (`--generation-config`).

    Args:
        model: its `generation_config` is changed.
        tokenizer: with the chat template.
        example: any of the data; without messages that answer, nothing is added.
    """
    messages = _messages(example)
    if not any(message["role"] == "assistant" for message in messages):
        return
    text, spoken = answers(template_of(tokenizer), messages)
    _, labels, unclosed = labelled(tokenizer, text, spoken[-1:])
    config = getattr(model, "generation_config", None)
    if unclosed or config is None:
        return
    end = [label for label in labels if label != IGNORED][-1]
    held = config.eos_token_id
    before = held if isinstance(held, list) else [] if held is None else [held]
    if end not in before:
        config.eos_token_id = [*before, end]


def _messages(example: Example) -> Sequence[Message]:
    if isinstance(example, Conversation):
        return example.messages
    return example.answered if isinstance(example, Columns) and example.is_conversation else ()


def keep_endings(model: Any, folder: Path) -> None:
    """Writes the generation config beside adapters, which peft saves without it; beside a whole model it is already."""
    config = getattr(model, "generation_config", None)
    if config is not None and not (folder / ENDINGS).is_file():
        config.to_json_file(folder / ENDINGS)


Splits = dict[str, tuple[Dataset, Tally | RowTally]]


def made_splits(
    state: PartialState, tokenizer: Any, splits: dict[str, Sequence[Example]], settings: Settings
) -> Splits:
    """Each split that has examples as a dataset of rows, with its tally, which is printed.

    Raises:
        RefusedError: the cap leaves nothing to train on, or the columns beside prompts are not a table's.
    """
    made = _supervised if settings.TASK in SUPERVISED else _compared
    found: Splits = {
        name: made(state, tokenizer, name, examples, settings) for name, examples in splits.items() if examples
    }
    _say_opening(state, tokenizer, splits["train"][0])
    return found


def _compared(
    state: PartialState, tokenizer: Any, name: str, examples: Sequence[Any], settings: Settings
) -> tuple[Dataset, RowTally]:
    """A split of answers that are compared, or of prompts."""
    rows, tally = encode_rows(tokenizer, examples, settings)
    noun, cap = settings.task.example, room(settings)
    if not rows:
        raise RefusedError([f"{name}: MAX_LENGTH={settings.MAX_LENGTH} leaves no {noun} that fits into {cap} tokens"])
    state.print(f"hbspec: {tally.said(name, noun, cap)}")
    return _table(name, _numbered(name, rows)), tally


def _numbered(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows to train on with their numbers; others need none."""
    return [{**row, EXAMPLE: number} for number, row in enumerate(rows)] if name == "train" else rows


def _table(name: str, rows: list[dict[str, Any]]) -> Dataset:
    try:
        return Dataset.from_list(rows)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as reason:
        said = str(reason).partition("\n")[0]
        raise RefusedError([f"{name}: a column holds values of several types ({said}): make them one type"]) from None


def _supervised(
    state: PartialState, tokenizer: Any, name: str, examples: Sequence[Any], settings: Settings
) -> tuple[Dataset, Tally]:
    max_length = settings.MAX_LENGTH
    rows, tally = encode(tokenizer, examples, max_length, whole=settings.TASK == "pretrain")
    if not rows:
        raise RefusedError([f"{name}: MAX_LENGTH={max_length} leaves no example with a token to train"])
    state.print(
        f"hbspec: {name}: {tally.used} examples of {tally.read}, {tally.tokens} tokens, {tally.trained_tokens} "
        f"of them trained; longest {tally.longest}; {tally.truncated} cut at MAX_LENGTH={max_length or 'none'}, "
        f"{tally.dropped} left out because nothing to train was left"
    )
    if tally.unclosed:
        state.print(f"hbspec: note {tally.unclosed} answers end without a special token: stopping is not learnt")
    if tally.reasoning_dropped:
        state.print(f"hbspec: note the chat template drops the reasoning of {tally.reasoning_dropped} answers")
    return Dataset.from_list(_numbered(name, rows)), tally


def _say_opening(state: PartialState, tokenizer: Any, example: Example) -> None:
    """Names the end of the generation prompt that no training text has, if there is one."""
    if isinstance(example, Conversation) and any(message["role"] == "assistant" for message in example.messages):
        opening = prompted_only(template_of(tokenizer), example)
        if opening:
            state.print(f"hbspec: note the prompt for an answer ends with {opening!r}, which no training text has")
