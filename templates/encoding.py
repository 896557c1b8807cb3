"""Splits of the tasks that compare or generate answers: rows for TRL's trainer, and what became of the examples.

Rows are what TRL 1.16 makes of the same examples (`_prepare_dataset` of `DPOTrainer`, `KTOTrainer` and
`RewardTrainer`), but an example that a chat template refuses is named with its place, and what is cut is counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from conversations import refuse_first
from job_examples import Columns
from records import PROMPT
from settings import Settings
from spoken import shared
from tasks import NO_KL

UNLIMITED = sys.maxsize
"""The cap of a run that cuts nothing."""
LONGEST = 10**12
"""Tokens above which no cap is."""
ANSWERS = ("chosen", "rejected")
Ids = list[int]
Tokenize = Callable[[Any, bool], Ids]
"""Token ids of a text, or of messages; the flag asks for the opening of the next assistant turn at the end."""


@dataclass(slots=True)
class RowTally:
    """What became of a split's examples; every number is counted.

    Attributes:
        read: examples in the files.
        used: examples that are trained or evaluated on.
        truncated: examples with a row longer than the cap, cut at its end.
        dropped: examples that are left out, since their prompt leaves no room for an answer; for a reward model, since
            a row is longer than the cap.
        rows: rows of tokens of the used examples: two of a pair, one of any other.
        tokens: tokens of these rows, after the cut; of prompts, without completions.
        trained_tokens: those of them that are answers; None of texts that are scored whole, and of prompts.
        longest: tokens of the longest row, before the cut.
    """

    read: int = 0
    used: int = 0
    truncated: int = 0
    dropped: int = 0
    rows: int = 0
    tokens: int = 0
    trained_tokens: int | None = None
    longest: int = 0

    def said(self, split: str, noun: str, cap: int) -> str:
        """The split's line in the log."""
        each = f", {self.rows} rows" if self.rows != self.used else ""
        shown = "MAX_LENGTH=none" if cap > LONGEST else f"{cap} tokens"
        left = f"{self.truncated} cut at {shown}, {self.dropped} left out because of it"
        answers = "" if self.trained_tokens is None else f", {self.trained_tokens} of them in answers"
        tokens = f"{self.tokens} tokens{answers}; longest {self.longest}"
        return f"{split}: {self.used} {noun}s of {self.read}{each}, {tokens}; {left}"


class Row(NamedTuple):
    """A row for the trainer, with the ids of each text that the model reads.

    Attributes:
        asked: how many ids each begins with that are asked and not answered; None where that makes no difference.
    """

    columns: dict[str, Any]
    texts: Sequence[Ids]
    asked: int | None = None


def encode_rows(
    tokenizer: Any, examples: Sequence[Columns], settings: Settings
) -> tuple[list[dict[str, Any]], RowTally]:
    """Rows for the trainer of the task, and what was counted on the way.

    TRL cuts an answer, but not a prompt, and no text of a reward model, whose score is read at its end: those that are
    too long are left out.

    Raises:
        RefusedError: the template refuses conversations; up to 20 at once.
    """
    make, cap = ENCODERS[settings.TASK], room(settings)
    tokenize, end = tokenized(tokenizer), tokenizer.eos_token or ""
    tally, found, problems = RowTally(read=len(examples)), [], []
    for example in examples:
        try:
            row = make(tokenize, end, example.held)
        except Exception as reason:  # a template raises what it likes: jinja2's errors, TypeError, ValueError
            problems.append(f"{example.place}: {reason}")
            continue
        longest = max(map(len, row.texts))
        tally.longest = max(tally.longest, longest)
        if longest > cap if row.asked is None else row.asked >= cap:
            tally.dropped += 1
            continue
        tally.truncated += longest > cap
        tally.rows += len(row.texts)
        tally.tokens += sum(min(len(ids), cap) for ids in row.texts)
        if row.asked is not None:
            answers = sum(min(len(ids), cap) - row.asked for ids in row.texts)
            tally.trained_tokens = (tally.trained_tokens or 0) + answers
        found.append(row.columns)
    refuse_first(problems)
    tally.used = len(found)
    if settings.TASK == "kto" and settings.LOSS_TYPE != NO_KL:
        _compare(found, settings.PER_DEVICE_BATCH_SIZE)
    return found, tally


def room(settings: Settings) -> int:
    """Tokens that an example may have: the cap, but for GRPO's prompts without those of a completion."""
    cap = UNLIMITED if settings.MAX_LENGTH is None else settings.MAX_LENGTH
    return cap - (settings.MAX_COMPLETION_LENGTH if settings.TASK == "grpo" else 0)


def _pair(tokenize: Tokenize, end: str, held: Mapping[str, Any]) -> Row:
    from trl import extract_prompt

    explicit = held if "prompt" in held else extract_prompt(dict(held))
    prompt, answers = answer_ids(tokenize, end, explicit, ANSWERS)
    columns = {"prompt_ids": prompt, **{f"{name}_ids": ids for name, ids in zip(ANSWERS, answers, strict=True)}}
    return Row(columns, [prompt + ids for ids in answers], len(prompt))


def _rated(tokenize: Tokenize, end: str, held: Mapping[str, Any]) -> Row:
    prompt, (answer,) = answer_ids(tokenize, end, held, ("completion",))
    columns = {"prompt_ids": prompt, "completion_ids": answer, "label": held["label"]}
    return Row(columns, [prompt + answer], len(prompt))


def _compared(tokenize: Tokenize, end: str, held: Mapping[str, Any]) -> Row:
    texts = compared_ids(tokenize, end, held, ANSWERS)
    return Row({f"{name}_ids": ids for name, ids in zip(ANSWERS, texts, strict=True)}, texts)


def _prompt(tokenize: Tokenize, end: str, held: Mapping[str, Any]) -> Row:
    del end
    return Row(dict(held), [tokenize(held["prompt"], True)])


ENCODERS: Mapping[str, Callable[[Tokenize, str, Mapping[str, Any]], Row]] = {
    "dpo": _pair, "kto": _rated, "reward": _compared, "grpo": _prompt,
}  # fmt: skip


def _compare(rows: Sequence[dict[str, Any]], batch: int) -> None:
    """Gives each row the answer of the one before it in its micro-batch, as TRL does to estimate the KL divergence."""
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        for row, other in zip(part, [part[-1], *part[:-1]], strict=True):
            row["KL_completion_ids"] = other["completion_ids"]


def tokenized(tokenizer: Any) -> Tokenize:
    """The tokenizer as a function of texts and messages, as TRL calls it."""

    def tokenize(value: Any, prompt: bool) -> Ids:
        if isinstance(value, str):
            return list(tokenizer(text=value)["input_ids"])
        found = tokenizer.apply_chat_template(value, tokenize=True, return_dict=True, add_generation_prompt=prompt)
        return list(found["input_ids"])

    return tokenize


def answer_ids(tokenize: Tokenize, end: str, held: Mapping[str, Any], names: Sequence[str]) -> tuple[Ids, list[Ids]]:
    """Token ids of the prompt, and of answers behind it.

    An answer begins where the ids of prompt and answer part from those of the prompt alone; of a pair at the first
    such place of both.

    Args:
        tokenize: see `tokenized`.
        end: what a plain text ends with.
        held: the columns of an example with a prompt.
        names: of the columns of answers.
    """
    prompt = held[PROMPT]
    before = tokenize(prompt, True)
    whole = [tokenize(prompt + _ended(held[name], end), False) for name in names]
    begins = min(shared(before, ids) for ids in whole)
    return before[:begins], [ids[begins:] for ids in whole]


def compared_ids(tokenize: Tokenize, end: str, held: Mapping[str, Any], names: Sequence[str]) -> list[Ids]:
    """Token ids of whole conversations, or texts, which a reward model scores: the prompt, if any, and each answer."""
    prompt = held.get(PROMPT)
    whole = (_ended(held[name], end) for name in names)
    return [tokenize(text if prompt is None else prompt + text, False) for text in whole]


def _ended(answer: Any, end: str) -> Any:
    return answer if isinstance(answer, list) or answer.endswith(end) else answer + end
