"""Conversations and plain texts to token ids and labels, with loss on the assistant's words, or the completion, alone.

The text is what the chat template makes of the messages, and `spoken` finds the assistant's words in it. So nothing is
asked of the template (TRL's `assistant_only_loss` needs `{% generation %}`, which few models' templates have, and
trains the line breaks around an answer too), and a template that trims or drops words is followed exactly:
DeepSeek-R1's drops everything up to `</think>` in an assistant turn, so that reasoning in the data is never learnt;
`Tally.reasoning_dropped` counts it. Plain texts have no template: they are tokenized and labelled as TRL does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broken import Broken
from fingerprint import Digest
from folders import SHOWN_SUFFIXES, data_files, incomplete
from job_examples import Conversation, Example, KeepingReader, Passage, columns
from mixing import repeated, unmatched, weight_of
from readers import Reader
from reading import channel_examples
from records import MESSAGES, PROMPT, STANDARD, Record, refusals
from settings import RefusedError
from spoken import MARK, Answer, Message, Render, answers, shared
from tasks import DATA_TYPES

IGNORED = -100
"""The label of a token that the loss passes over (torch.nn.CrossEntropyLoss.ignore_index)."""

SHOWN_PROBLEMS = 20
ACTIONS = {
    "answer": "add the answer, or delete the example",
    "equal": "delete the pair",
    "fields": "move what they say to the content",
}
"""What to do about an example that is refused, by the kind of the reason."""


@dataclass(slots=True)
class Tally:
    """What became of a split's examples; every number is counted.

    Attributes:
        read: examples in the files.
        used: examples that are trained or evaluated on.
        truncated: examples longer than the cap, cut at its end.
        dropped: examples of which the cut left no token to train.
        tokens: tokens of the used examples, after the cut.
        trained_tokens: those of them that carry a label.
        longest: tokens of the longest example, before the cut.
        unclosed: assistant turns that the template ends without a special token: the model does not learn to stop.
        reasoning_dropped: assistant turns whose words up to `</think>` the template leaves out.
    """

    read: int = 0
    used: int = 0
    truncated: int = 0
    dropped: int = 0
    tokens: int = 0
    trained_tokens: int = 0
    longest: int = 0
    unclosed: int = 0
    reasoning_dropped: int = 0


def read_conversations(
    folder: Path,
    read: dict[str, str] | None = None,
    reader: Reader | None = None,
    weights: Mapping[str, float] | None = None,
    whole: bool = False,
) -> list[Example]:
    """Every example of a channel, in the order of names and lines.

    Args:
        folder: of the channel.
        reader: makes the examples; of conversations in `messages` by default.
        weights: how often the examples of files and folders are in an epoch, by their names in the folder.
        whole: whether conversations are learnt whole, so that they need no answer.
        read: is told the size and the digest of each file by its path in the folder. They are of the bytes that the
            conversations are of, so that a file that is replaced later is not taken for what was read.

    Raises:
        RefusedError: no files, a missing shard, files that cannot be read, or lines that are not an example to learn
            from; the first 20 at once.
    """
    found: list[Example] = []
    files, make = _files(folder), reader or Reader(MESSAGES)
    lacking = incomplete(files)
    problems = [] if lacking is None else [f"{folder}: {lacking}; give the channel all of them"]
    names = [path.relative_to(folder).as_posix() for path in files]
    problems += [f"{folder} holds no {name}, which has a weight" for name in unmatched(names, weights or {})]
    for path, name in zip(files, names, strict=True):
        try:
            digest = Digest()
            entries = channel_examples(path, f"{folder.name}/{name}", make, digest.take)
            found += repeated(_learnt(entries, problems, make, whole), weight_of(name, weights or {}))
            if read is not None:
                read[name] = str(digest)
        except OSError as reason:
            problems.append(f"{folder.name}/{name}: {reason.strerror}")
    if found and (said := make.unseen_columns()):
        problems.append(f"{folder}: {said}; correct {make.naming.columns}")
    refuse_first(problems)
    if not found:
        raise RefusedError([f"{folder} holds no example; give the channel files that hold examples"])
    return found


def _learnt(entries: Iterable[Record | Broken], problems: list[str], make: Reader, whole: bool) -> Iterator[Example]:
    """The examples to learn from; why others are none is added to the problems."""
    for entry in entries:
        if isinstance(entry, Broken):
            reasons = [f"{entry.reason}; {entry.advice}"]
        else:
            reasons = [f"{what}; {ACTIONS[kind]}" for kind, what in refusals(entry, whole=whole)]
        problems += [f"{entry.place}: {reason}" for reason in reasons]
        if isinstance(entry, Record) and not reasons:
            yield _example(entry, make)


def _files(folder: Path) -> list[Path]:
    try:
        files = data_files(folder) if folder.is_dir() else []
    except OSError as reason:
        raise RefusedError([f"{reason.filename}: {reason.strerror}"]) from None
    if not files:
        said = f"{folder} holds no file that ends in {SHOWN_SUFFIXES}; give the channel files with such names"
        raise RefusedError([said])
    return files


def _example(record: Record, make: Reader) -> Example:
    if record.layout.type not in DATA_TYPES:
        return columns(record, make.kept.pop(record.place, {}) if isinstance(make, KeepingReader) else {})
    place, prompts = str(record.place), record.columns.count(PROMPT)
    if record.layout.format == STANDARD:
        return Passage(place, "".join(record.contents[:prompts]), "".join(record.contents[prompts:]))
    pairs = zip(record.roles, record.contents, strict=True)
    return Conversation(place, tuple({"role": role, "content": text} for role, text in pairs), prompts)


def prompted_only(render: Render, conversation: Conversation) -> str:
    """The end of the generation prompt that the training text lacks, like R1's `<think>` and line break; else empty."""
    last = max(index for index, message in enumerate(conversation.messages) if message["role"] == "assistant")
    earlier = conversation.messages[:last]
    if not earlier:
        return ""
    prompt = render(earlier, True)
    return prompt[shared(prompt, render([*earlier, {"role": "assistant", "content": MARK}], False)) :]


def labelled(tokenizer: Any, text: str, spoken: Iterable[Answer]) -> tuple[list[int], list[int], int]:
    """Token ids, labels of the same length, and how many answers no special token closes.

    A token is labelled when all its characters are the assistant's, and so is the special token that ends the turn
    (with blanks before it, if any). A token across the border belongs to the template.
    """
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    special = set(tokenizer.get_added_vocab().values())
    labels = [IGNORED] * len(ids)
    unclosed = 0
    for answer in spoken:
        inside = [index for index, (start, end) in enumerate(offsets) if answer.start <= start and end <= answer.end]
        behind = next((index for index, (start, _) in enumerate(offsets) if start >= answer.end), len(ids))
        closing = behind
        while closing < len(ids) and ids[closing] not in special and not text[slice(*offsets[closing])].strip():
            closing += 1
        if closing < len(ids) and ids[closing] in special:
            inside += range(behind, closing + 1)
        else:
            unclosed += 1
        for index in inside:
            labels[index] = ids[index]
    return ids, labels, unclosed


def template_of(tokenizer: Any) -> Render:
    """The tokenizer's chat template as a function.

    Raises:
        RefusedError: it has none, or cannot say which characters a token stands for.
    """
    if not tokenizer.chat_template:
        raise RefusedError([f"{tokenizer.name_or_path} has no chat template: set CHAT_TEMPLATE, or use the chat model"])
    if not tokenizer.is_fast:
        raise RefusedError([f"{tokenizer.name_or_path} has no fast tokenizer, which labels are found with"])

    def render(messages: Sequence[Message], prompt: bool) -> str:
        return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=prompt))

    return render


def encode(
    tokenizer: Any, examples: Sequence[Conversation | Passage], max_length: int | None, whole: bool = False
) -> tuple[list[dict[str, list[int]]], Tally]:
    """Rows of `input_ids` and `labels`, both cut at `max_length` tokens, and what was counted on the way.

    Conversations are learnt `whole`, or the assistant's words alone.

    Raises:
        RefusedError: the template refuses conversations (roles out of turn, say); up to 20 at once.
    """
    render = template_of(tokenizer) if any(isinstance(example, Conversation) for example in examples) else None
    rows: list[dict[str, list[int]]] = []
    problems: list[str] = []
    tally = Tally(read=len(examples))
    for example in examples:
        if isinstance(example, Passage):
            ids, labels = _continued(tokenizer, example, tally)
        else:
            try:
                drawn = render or template_of(tokenizer)
                ids, labels = _all(tokenizer, drawn, example) if whole else _spoken(tokenizer, drawn, example, tally)
            except Exception as reason:  # a template raises what it likes: jinja2's errors, TypeError, ValueError
                problems.append(f"{example.place}: {reason}")
                continue
        tally.longest = max(tally.longest, len(ids))
        tally.truncated += max_length is not None and len(ids) > max_length
        ids, labels = ids[:max_length], labels[:max_length]
        trained = sum(label != IGNORED for label in labels[1:])  # the first token is never predicted
        if not trained:
            tally.dropped += 1
            continue
        tally.tokens += len(ids)
        tally.trained_tokens += trained
        rows.append({"input_ids": ids, "labels": labels})
    refuse_first(problems)
    tally.used = len(rows)
    return rows, tally


def _all(tokenizer: Any, render: Render, conversation: Conversation) -> tuple[list[int], list[int]]:
    """Token ids and labels of a conversation that is learnt whole, as in TRL without `assistant_only_loss`."""
    ids = list(tokenizer(render(conversation.messages, False), add_special_tokens=False)["input_ids"])
    return ids, list(ids)


def _spoken(tokenizer: Any, render: Render, conversation: Conversation, tally: Tally) -> tuple[list[int], list[int]]:
    """Token ids and labels of a conversation; what else is seen is added to the tally."""
    text, spoken = answers(render, conversation.messages)
    messages = conversation.messages
    turns = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    pairs = zip(turns, spoken, strict=True)
    learnt = {index: answer for index, answer in pairs if index >= conversation.learnt}
    ids, labels, unclosed = labelled(tokenizer, text, learnt.values())
    for index, answer in learnt.items():
        words = messages[index]["content"]
        kept = words.partition("</think>")[0].strip() in text[answer.start : answer.end]
        tally.reasoning_dropped += "</think>" in words and not kept
    tally.unclosed += unclosed
    return ids, labels


def _continued(tokenizer: Any, passage: Passage, tally: Tally) -> tuple[list[int], list[int]]:
    """Token ids and labels of plain text, as in TRL 1.16 (`SFTTrainer._prepare_dataset`).

    The text ends with the end token. Prompt and text are tokenized together, and learnt from where the ids part from
    those of the prompt alone.
    """
    end = tokenizer.eos_token or ""
    text = passage.text if passage.text.endswith(end) else f"{passage.text}{end}"
    tally.unclosed += not end
    ids = list(tokenizer(f"{passage.prompt}{text}")["input_ids"])
    before = shared(tokenizer(passage.prompt)["input_ids"], ids) if passage.prompt else 0
    return ids, [IGNORED] * before + ids[before:]


def refuse_first(problems: Sequence[str]) -> None:
    """Refuses an input that has problems, and shows the first of many.

    Raises:
        RefusedError: it has.
    """
    if len(problems) > SHOWN_PROBLEMS:
        problems = [*problems[:SHOWN_PROBLEMS], f"and {len(problems) - SHOWN_PROBLEMS} more"]
    if problems:
        raise RefusedError(problems)
