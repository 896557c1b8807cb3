"""Lines of training data to conversations: what is one, what is not, and what a job refuses of those that are.

The job reads its channels so, and `hbspec data check` the same lines before the job is paid for: what one accepts the
other accepts. Only the standard library is imported.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from broken import Broken, Place, rest_of

ROLES = ("system", "user", "assistant", "tool")
MAX_NESTING = 100
"""Python's own limit depends on how deep the caller stands; this one is the same wherever a line is read."""
LONGEST_WORD = 40
KEYS_SHOWN = 5
HALF = "a content holds half of a surrogate pair, which is not text"

_TEXTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.S)
_BRACKETS = re.compile(rb"[\[\]{}]")


class Layout(NamedTuple):
    """A dataset type and a format of TRL's (https://huggingface.co/docs/trl/dataset_formats), as `layouts.py` has them.

    Attributes:
        type: such as `language_modeling`.
        format: `conversational` or `standard`.
    """

    type: str
    format: str


CONVERSATIONAL, STANDARD = "conversational", "standard"
MESSAGES = Layout("language_modeling", CONVERSATIONAL)
PROMPT, COMPLETION = "prompt", "prompt_completion"
"""The column that is never learnt, and the type that has it beside an answer."""
COMPARED = ("preference", "unpaired_preference")
"""Types of answers that are better or worse."""
NOTHING = "nothing to learn"


class Record(NamedTuple):
    """One example: a conversation, or the texts of another dataset type.

    Attributes:
        roles: of the messages, in order; "" of a plain text.
        contents: their texts.
        encoded: the same in UTF-8.
        extra: keys that messages have besides role and content.
        layout: of the example.
        columns: the column of each text; none for a conversation in `messages`.
        flags: labels of answers, good or bad.
    """

    place: Place
    roles: tuple[str, ...]
    contents: tuple[str, ...]
    encoded: tuple[bytes, ...]
    extra: tuple[str, ...]
    layout: Layout = MESSAGES
    columns: tuple[str, ...] = ()
    flags: tuple[bool, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What identifies an example beside its texts: roles, and where they lie if not in `messages`."""
        if not self.columns:
            return self.roles
        pairs = zip(self.columns, self.roles, strict=True)
        return (*(f"{column}/{role}" for column, role in pairs), *map(str, self.flags))


Make = Callable[[Any, Place], Record | Broken]
"""What a line's value is: an example, or why it is not one."""


def records(lines: Iterable[bytes | str], name: str, make: Make | None = None) -> Iterator[Record | Broken]:
    """What a file's lines hold; what cannot be used is said, and the rest goes on.

    Args:
        lines: as `lines.py` has them; a ValueError says why the file is not read any further.
        name: of the file.
        make: makes the example of a line's value; `conversation` by default.
    """
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            found = decoded(line, Place(name, number), make)
            if found is not None:
                yield found
    except ValueError as refused:
        yield rest_of(Place(name, number), refused)


def decoded(line: bytes | str, place: Place, make: Make | None = None) -> Record | Broken | None:
    """What a line holds: an example, something else, or nothing but space (None).

    A text in the place of a line says why it was not read.
    """
    if isinstance(line, str):
        return Broken(place, line)
    if not line or line.isspace():
        return None
    try:
        value = parsed(line)
    except NotJsonError as reason:
        return Broken(place, str(reason))
    return (make or conversation)(value, place)


class NotJsonError(ValueError):
    """A text is not a value of JSON that is read; the message says why."""


def parsed(line: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        NotJsonError: it is not one, or nested too deep.
    """
    if nesting(line) > MAX_NESTING:
        raise NotJsonError(f"nested more than {MAX_NESTING} deep")
    try:
        return json.loads(line.removeprefix(BOM_UTF8).rstrip(b"\r\n").decode())
    except UnicodeDecodeError:
        raise NotJsonError("not UTF-8 text") from None
    except json.JSONDecodeError as reason:
        raise NotJsonError(f"not JSON ({_said(reason)})") from None
    except ValueError:
        raise NotJsonError("not JSON (a number that is too large to read)") from None


def conversation(value: Any, place: Place) -> Record | Broken:
    """The example of a value with `messages`."""
    if not _is_conversation(value):
        return Broken(place, fault(value))
    messages: Sequence[dict[str, Any]] = value["messages"]
    contents = tuple(message["content"] for message in messages)
    try:
        encoded = tuple(text.encode() for text in contents)
    except UnicodeEncodeError:
        return Broken(place, HALF)
    extra = () if all(len(message) == 2 for message in messages) else extra_keys(messages)
    return Record(place, tuple(message["role"] for message in messages), contents, encoded, extra)


def refusals(record: Record, *, whole: bool = False) -> Iterator[tuple[str, str]]:
    """Why a job does not train an example, in words, and of what kind each reason is.

    An example lacks an `answer`, has answers that are `equal`, or messages with more `fields` than are read.

    Args:
        record: the example.
        whole: whether conversations and texts are learnt whole, so that they need no answer.
    """
    if record.layout.type in (MESSAGES.type, COMPLETION):
        if not (whole and any(map(str.strip, record.contents))):
            yield from _unanswered(record)
    elif record.layout.type in COMPARED:
        yield from _incomparable(record)
    if record.extra:
        shown = [quoted(key) for key in record.extra[:KEYS_SHOWN]]
        more = ["…"] if len(record.extra) > KEYS_SHOWN else []
        yield "fields", f"messages hold {', '.join([*shown, *more])}, which training does not read"


def _unanswered(record: Record) -> Iterator[tuple[str, str]]:
    """Why nothing of a conversation, or of a completion, is learnt."""
    if record.layout == MESSAGES and "assistant" not in record.roles:
        yield "answer", f"no assistant turn, so {NOTHING}"
    elif record.columns:
        learnt = [index for index, column in enumerate(record.columns) if column != PROMPT]
        if record.layout.format == CONVERSATIONAL and not any(record.roles[index] == "assistant" for index in learnt):
            yield "answer", f"no assistant turn in the completion, so {NOTHING}"
        elif not any(record.contents[index] for index in learnt):
            yield "answer", f'"{record.columns[-1]}" is empty, so {NOTHING}'


def _incomparable(record: Record) -> Iterator[tuple[str, str]]:
    """Why an answer teaches nothing, or the two of a pair."""
    answers = {name: _answer(record, name) for name in dict.fromkeys(record.columns) if name != PROMPT}
    for name, answer in answers.items():
        if not any(text for _, text in answer):
            yield "answer", f'"{name}" is empty, so {NOTHING}'
        elif record.layout.format == CONVERSATIONAL and not any(role == "assistant" for role, _ in answer):
            yield "answer", f'no assistant turn in "{name}", so {NOTHING}'
    if len(answers) > 1 and answers["chosen"] == answers["rejected"]:
        yield "equal", f'"chosen" equals "rejected", so {NOTHING}'


def _answer(record: Record, name: str) -> list[tuple[str, str]]:
    parts = zip(record.columns, record.roles, record.contents, strict=True)
    return [(role, text) for column, role, text in parts if column == name]


def nesting(line: bytes) -> int:
    """How deep the brackets of a JSON text are nested; 0 where there are at most `MAX_NESTING` of them."""
    if line.count(b"[") + line.count(b"{") <= MAX_NESTING:
        return 0
    brackets = _BRACKETS.findall(_TEXTS.sub(b"", line))
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)


def quoted(text: str) -> str:
    r"""The beginning of a text out of the data, without what moves a terminal's cursor.

    >>> quoted("\x1b[31mred"), len(quoted("x" * 500))
    ('\\x1b[31mred', 41)
    """
    shown = text if len(text) <= LONGEST_WORD else f"{text[:LONGEST_WORD]}…"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in shown)


def _is_conversation(value: Any) -> bool:
    """Whether the value has no `fault`, which takes longer to find."""
    if not isinstance(value, dict):
        return False
    messages = value.get("messages")
    return (
        isinstance(messages, list)
        and len(messages) > 0
        and all(
            isinstance(message, dict) and isinstance(message.get("content"), str) and message.get("role") in ROLES
            for message in messages
        )
    )


def fault(value: Any) -> str:
    """The first thing that keeps a line's value from being a conversation."""
    if not isinstance(value, dict):
        return "the line is not a map"
    if "messages" not in value:
        return 'the line has no list "messages"'
    messages = value["messages"]
    if not isinstance(messages, list):
        return '"messages" is not a list'
    faults = (f"message {number} {wrong(message)}" for number, message in enumerate(messages, 1) if wrong(message))
    return next(faults, '"messages" holds no message')


def wrong(message: Any) -> str | None:
    """What keeps a value from being a message, in words that follow its number; None where nothing does."""
    if not isinstance(message, dict):
        return "is not a map"
    for key in ("role", "content"):
        if key not in message:
            return f"has no {key}"
    if message["role"] not in ROLES:
        return f"has the role {quoted(repr(message['role']))}, not one of {', '.join(ROLES)}"
    return None if isinstance(message["content"], str) else "has no text content"


def _said(reason: json.JSONDecodeError) -> str:
    """Without the prepositions that introduce a position: lines that fail alike are counted together."""
    return reason.msg.rstrip(": ").removesuffix(" at").removesuffix(" starting")


def extra_keys(messages: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """What messages hold beside role and content, in order."""
    return tuple(sorted({key for message in messages for key in message} - {"role", "content"}))
