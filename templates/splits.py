"""The splits of a job as rows of tokens, and what its tokenizer and model are told of the chat template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate import PartialState
from conversations import IGNORED, Conversation, Example, Tally, encode, labelled, prompted_only, template_of
from counting import EXAMPLE
from datasets import Dataset
from fingerprint import Fingerprint, chat_template
from handover import problems_of
from saving import refuse_together
from settings import RefusedError, Settings
from spoken import answers

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


def end_answers(model: Any, tokenizer: Any, conversation: Conversation) -> None:
    """Adds the token with which the template ends an answer to those that end a generation.

    A base model's own is another one (Llama 3.1's `<|end_of_text|>`, while its chat models end with `<|eot_id|>`), and
    an engine that waits for it generates up to its limit. vLLM stops at any of the list (`--generation-config`).

    Args:
        model: its `generation_config` is changed.
        tokenizer: with the chat template.
        conversation: any of the data.
    """
    text, spoken = answers(template_of(tokenizer), conversation.messages)
    _, labels, unclosed = labelled(tokenizer, text, spoken[-1:])
    config = getattr(model, "generation_config", None)
    if unclosed or config is None:
        return
    end = [label for label in labels if label != IGNORED][-1]
    held = config.eos_token_id
    before = held if isinstance(held, list) else [] if held is None else [held]
    if end not in before:
        config.eos_token_id = [*before, end]


def keep_endings(model: Any, folder: Path) -> None:
    """Writes the generation config beside adapters, which peft saves without it; beside a whole model it is already."""
    config = getattr(model, "generation_config", None)
    if config is not None and not (folder / ENDINGS).is_file():
        config.to_json_file(folder / ENDINGS)


def made_splits(
    state: PartialState, tokenizer: Any, splits: dict[str, Sequence[Example]], max_length: int | None
) -> dict[str, tuple[Dataset, Tally]]:
    """Each split that has conversations as a dataset of rows, with its tally, which is printed."""
    found: dict[str, tuple[Dataset, Tally]] = {}
    for name, examples in splits.items():
        if not examples:
            continue
        rows, tally = encode(tokenizer, examples, max_length)
        if not rows:
            raise RefusedError([f"{name}: MAX_LENGTH={max_length} leaves no example with a token to train"])
        if name == "train":
            found[name] = Dataset.from_list([{**row, EXAMPLE: number} for number, row in enumerate(rows)]), tally
        else:
            found[name] = Dataset.from_list(rows), tally
        state.print(
            f"hbspec: {name}: {tally.used} examples of {tally.read}, {tally.tokens} tokens, {tally.trained_tokens} "
            f"of them trained; longest {tally.longest}; {tally.truncated} cut at MAX_LENGTH={max_length or 'none'}, "
            f"{tally.dropped} left out because nothing to train was left"
        )
        if tally.unclosed:
            state.print(f"hbspec: note {tally.unclosed} answers end without a special token: stopping is not learnt")
        if tally.reasoning_dropped:
            state.print(f"hbspec: note the chat template drops the reasoning of {tally.reasoning_dropped} answers")
    first = splits["train"][0]
    opening = prompted_only(template_of(tokenizer), first) if isinstance(first, Conversation) else ""
    if opening:
        state.print(f"hbspec: note the prompt for an answer ends with {opening!r}, which no training text has")
    return found
