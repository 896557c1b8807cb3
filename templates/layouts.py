"""The dataset types that TRL knows, as columns: which type an example is of, and its texts.

Names and columns are those of https://huggingface.co/docs/trl/dataset_formats. Each type is conversational (lists of
role and content) or standard (plain texts); stepwise supervision is standard only. Alpaca and ShareGPT are not TRL's:
they are recognised, and `foreign.py` reads them as conversations. Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from foreign import FOREIGN, as_messages
from records import (
    CONVERSATIONAL,
    HALF,
    MESSAGES,
    STANDARD,
    Broken,
    Layout,
    Place,
    Record,
    conversation,
    extra_keys,
    quoted,
    wrong,
)

TEXT, TEXTS, FLAG, FLAGS = "text", "texts", "flag", "flags"
COLUMNS_SHOWN = 8


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
    return _of_type(kind, value)


def _of_type(kind: str, value: Any) -> Layout:
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


class Reader:
    """Makes examples of values, all of one layout: the one that is given, or that of the first that is recognised.

    Attributes:
        layout: what all examples are; None as long as it is not known.
        beside: columns of the first example that its type does not read.
    """

    def __init__(
        self, layout: Layout | None = None, columns: Mapping[str, str] | None = None, kind: str | None = None
    ) -> None:
        """With the layout of the data, the names of their columns by those of the type, and the type if only that."""
        self.layout = layout
        self.beside: tuple[str, ...] = ()
        self._columns = dict(columns or {})
        self._kind = kind

    @property
    def flags(self) -> frozenset[str]:
        """The columns of a file that hold true or false, where texts are all that a file can hold."""
        return frozenset({self._columns.get("label", "label")})

    def __call__(self, value: Any, place: Place) -> Record | Broken:
        """The example of a value, or why it is not one."""
        if self._columns and isinstance(value, dict):
            missing = [theirs for theirs in self._columns.values() if theirs not in value]
            # as long as no example is read, a column that is named and not there would leave another type
            if missing and (self.layout is None or len(missing) == len(self._columns)):
                return Broken(place, f"the {place.noun} has no column {quoted(repr(missing[0]))}{_columns_of(value)}")
            renamed = {ours: value[theirs] for ours, theirs in self._columns.items() if theirs in value}
            value = {key: held for key, held in value.items() if key not in self._columns.values()} | renamed
        return self.example(value, place)

    def example(self, value: Any, place: Place) -> Record | Broken:
        """The same of a value whose columns have the names of the type."""
        if self.layout is None:
            self.layout = recognised(value) if self._kind is None else _of_type(self._kind, value)
            if self.layout is None:
                return Broken(place, _unknown(value, place))
            self.beside = tuple(sorted(map(str, value.keys() - NAMES)))
        found = _made(value, place, self.layout)
        if isinstance(found, Broken):
            other = recognised(value)
            if other is not None and other != self.layout:
                return Broken(place, f"{found.reason}: it is {said(other)}, and not {said(self.layout)}")
        return found


def _unknown(value: Any, place: Place) -> str:
    if not isinstance(value, dict):
        return f"the {place.noun} is not a map"
    if not value:
        return f"the {place.noun} is empty"
    return f"the columns {_names(value)} are those of no dataset type; name them with --column"


def _columns_of(value: Mapping[str, Any]) -> str:
    return f"; its columns are {_names(value)}" if value else ""


def _names(value: Mapping[str, Any]) -> str:
    names = [quoted(str(name)) for name in list(value)[:COLUMNS_SHOWN]]
    return ", ".join([*names, *(["…"] if len(value) > len(names) else [])])


def _made(value: Any, place: Place, layout: Layout) -> Record | Broken:
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
