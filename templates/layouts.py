"""The dataset types that TRL knows, as columns: which type an example is of, and its texts.

Names and columns are those of https://huggingface.co/docs/trl/dataset_formats. Each type is conversational (lists of
role and content) or standard (plain texts); stepwise supervision is standard only. Alpaca and ShareGPT are not TRL's:
they are recognised, and `foreign.py` reads them as conversations. Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from broken import Broken, Place
from foreign import COLUMNS, FOREIGN, as_messages
from records import (
    CONVERSATIONAL,
    HALF,
    MESSAGES,
    STANDARD,
    Layout,
    Record,
    conversation,
    extra_keys,
    wrong,
)

TEXT, TEXTS, FLAG, FLAGS = "text", "texts", "flag", "flags"


class Column(NamedTuple):
    """A column of a dataset type.

    Attributes:
        name: TRL's.
        holds: `TEXT` (one text, or in the conversational format a list of messages), `TEXTS`, `FLAG` or `FLAGS`.
        optional: whether an example may lack it.
    """

    name: str
    holds: str = TEXT
    optional: bool = False


TYPES: Mapping[str, tuple[Column, ...]] = {
    "language_modeling": (Column("text"),),
    "prompt_only": (Column("prompt"),),
    "prompt_completion": (Column("prompt"), Column("completion")),
    "preference": (Column("prompt", optional=True), Column("chosen"), Column("rejected")),
    "unpaired_preference": (Column("prompt"), Column("completion"), Column("label", FLAG)),
    "stepwise_supervision": (Column("prompt"), Column("completions", TEXTS), Column("labels", FLAGS)),
}
"""Columns by type. The conversations of language modeling are in `messages`, which `records.py` reads."""

TRAINED = tuple(kind for kind in TYPES if kind != "stepwise_supervision")
"""Types that the shipped script trains, each in a task of its own."""
NAMES = frozenset({"messages", *(column.name for columns in TYPES.values() for column in columns)})
"""Every column that a type reads."""


def said(layout: Layout) -> str:
    """A layout in TRL's words.

    >>> said(Layout("unpaired_preference", "standard")), said(FOREIGN["alpaca"])
    ('unpaired preference (standard)', 'Alpaca')
    """
    if not layout.format:
        return layout.type
    return f"{layout.type.replace('prompt_', 'prompt-').replace('_', ' ')} ({layout.format})"


def recognised(value: Any) -> Layout | None:
    """The layout that the columns of an example are those of; None if of no known one."""
    if not isinstance(value, dict):
        return None
    if "messages" in value:
        return MESSAGES
    for foreign, columns in (("sharegpt", {"conversations"}), ("alpaca", {"instruction", "output"})):
        if columns <= value.keys():
            return FOREIGN[foreign]
    kind = _type_of(value)
    if kind is None:
        return None
    return of_type(kind, value)


def of_type(kind: str, value: Any) -> Layout:
    """The layout of an example whose type is known."""
    if not isinstance(value, dict) or (kind == MESSAGES.type and "messages" in value):
        return Layout(kind, CONVERSATIONAL)
    texts = (value.get(column.name) for column in TYPES[kind] if column.holds == TEXT)
    return Layout(kind, CONVERSATIONAL if any(isinstance(text, list) for text in texts) else STANDARD)


def _type_of(value: Mapping[str, Any]) -> str | None:
    if "chosen" in value or "rejected" in value:
        return "preference"
    if "completions" in value:
        return "stepwise_supervision"
    if "completion" in value:
        return "unpaired_preference" if "label" in value else "prompt_completion"
    return "prompt_only" if "prompt" in value else "language_modeling" if "text" in value else None


def read_columns(layout: Layout | None) -> frozenset[str]:
    """The columns that examples of a layout are made of, where they have them."""
    if layout is None or layout == MESSAGES:
        return frozenset({"messages"})
    if layout.type in COLUMNS:
        return COLUMNS[layout.type]
    return frozenset(column.name for column in TYPES[layout.type])


def needed_columns(layout: Layout | None) -> frozenset[str]:
    """The columns without which a value is not an example of a layout; all names, where no layout is known."""
    if layout is None:
        return NAMES
    if layout == MESSAGES or layout.type in COLUMNS:
        return frozenset({"messages", "conversations", "instruction", "output"})
    return frozenset(column.name for column in TYPES[layout.type] if not column.optional)


def made(value: Any, place: Place, layout: Layout) -> Record | Broken:
    """The example of a layout that a value is, or why it is not one."""
    if layout == MESSAGES:
        return conversation(value, place)
    if not isinstance(value, dict):
        return Broken(place, f"the {place.noun} is not a map")
    try:
        if not layout.format:
            messages = as_messages(value, layout)
            contents = tuple(message["content"] for message in messages)
            encoded = tuple(text.encode() for text in contents)
            return Record(place, tuple(message["role"] for message in messages), contents, encoded, ())
        return _typed(value, place, layout)
    except UnicodeEncodeError:
        return Broken(place, HALF)
    except ValueError as reason:
        return Broken(place, str(reason))


def _typed(value: Mapping[str, Any], place: Place, layout: Layout) -> Record:
    """The example of one of TRL's types.

    Raises:
        ValueError: it is not one; the message says why.
    """
    turns: list[tuple[str, str, str]] = []
    flags: list[bool] = []
    extra: tuple[str, ...] = ()
    for column in TYPES[layout.type]:
        held = value.get(column.name)
        if held is None:
            if column.optional:
                continue
            raise ValueError(f'the {place.noun} has no "{column.name}"')
        if column.holds in (FLAG, FLAGS):
            flags += _flags(column, held)
        elif layout.format == CONVERSATIONAL:
            turns += _messages(column, held)
            extra += () if all(len(message) == 2 for message in held) else extra_keys(held)
        else:
            turns += _texts(column, held)
    if layout.type == "stepwise_supervision" and len(flags) != len(turns) - 1:
        raise ValueError('"labels" are not as many as "completions"')
    columns, roles, contents = zip(*turns, strict=True)
    encoded = tuple(text.encode() for text in contents)
    return Record(place, roles, contents, encoded, tuple(sorted({*extra})), layout, columns, tuple(flags))


def _flags(column: Column, held: Any) -> Sequence[bool]:
    if column.holds == FLAG and isinstance(held, bool):
        return [held]
    if column.holds == FLAGS and isinstance(held, list) and all(isinstance(flag, bool) for flag in held):
        return held
    raise ValueError(
        f'"{column.name}" is not {"true or false" if column.holds == FLAG else "a list of true and false"}'
    )


def _texts(column: Column, held: Any) -> Iterator[tuple[str, str, str]]:
    if column.holds == TEXT and isinstance(held, str):
        yield column.name, "", held
        return
    if column.holds != TEXTS or not isinstance(held, list) or not all(isinstance(text, str) for text in held):
        raise ValueError(f'"{column.name}" is not {"a text" if column.holds == TEXT else "a list of texts"}')
    if not held:
        raise ValueError(f'"{column.name}" holds nothing')
    for text in held:
        yield column.name, "", text


def _messages(column: Column, held: Any) -> Iterator[tuple[str, str, str]]:
    if column.holds != TEXT or not isinstance(held, list):
        raise ValueError(f'"{column.name}" is not a list of messages')
    if not held:
        raise ValueError(f'"{column.name}" holds no message')
    for number, message in enumerate(held, 1):
        fault = wrong(message)
        if fault:
            raise ValueError(f'message {number} of "{column.name}" {fault}')
        yield column.name, message["role"], message["content"]
