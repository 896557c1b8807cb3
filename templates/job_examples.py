"""Examples as a job holds them: conversations, plain texts, and the columns of what is compared or answered.

Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broken import Broken, Place
from readers import Reader
from records import CONVERSATIONAL, PROMPT, Record
from spoken import Message, shared
from tasks import PROMPTS

TEXTS = (PROMPT, "completion", "chosen", "rejected")
"""Columns of texts or messages."""
TRL_COLUMNS = (
    "prompt", "prompts", "completion", "completions", "completion_ids", "trainer_state", "log_extra", "log_metric",
    "image", "images", "tools", "environment", "environments", "chat_template_kwargs",
)  # fmt: skip
"""Columns that TRL's GRPO reads or gives to reward functions itself; a file's own are not passed on to them."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One example: where it stands, and its messages.

    Attributes:
        learnt: the first message that may be learnt; those before it are a prompt, whoever speaks.
    """

    place: str
    messages: tuple[Message, ...]
    learnt: int = 0

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is said."""
        return tuple(message["content"] for message in self.messages)

    @property
    def asked(self) -> str:
        """What is before the last answer: examples that share it are not parted into training and validation."""
        turns = [index for index, message in enumerate(self.messages) if message["role"] == "assistant"]
        return "\0".join(self.texts[: self.learnt or max(turns, default=len(self.messages))])


@dataclass(frozen=True, slots=True)
class Passage:
    """One example of plain text: where it stands, a prompt that is not learnt, and the text that is."""

    place: str
    prompt: str
    text: str

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is said."""
        return (self.prompt, self.text)

    @property
    def asked(self) -> str:
        """The prompt, or the whole text where there is none."""
        return self.prompt or self.text


@dataclass(frozen=True, slots=True)
class Columns:
    """One example: where it stands, and its columns by TRL's names.

    Attributes:
        held: texts, or lists of messages; a label; and for prompts whatever else the file has, for reward functions.
    """

    place: str
    held: Mapping[str, Any]

    @property
    def is_conversation(self) -> bool:
        """Whether it is of messages."""
        return any(isinstance(value, list) for name, value in self.held.items() if name in TEXTS)

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is said."""
        values = [value for name, value in self.held.items() if name in TEXTS]
        return tuple(
            text for value in values for text in (map(_content, value) if isinstance(value, list) else (value,))
        )

    @property
    def asked(self) -> str:
        """The prompt; of a pair without one, what both answers begin with."""
        if PROMPT in self.held:
            return "\0".join(Columns(self.place, {PROMPT: self.held[PROMPT]}).texts)
        one, other = self.held["chosen"], self.held["rejected"]
        return str(one[: shared(one, other)])

    @property
    def answered(self) -> list[Mapping[str, str]]:
        """The messages with an answer, the better one of a pair; none where no answer is told."""
        answer = self.held.get("chosen", self.held.get("completion"))
        return [] if answer is None else [*self.held.get(PROMPT, []), *answer]


Example = Conversation | Passage | Columns


def _content(message: Mapping[str, str]) -> str:
    return message["content"]


class KeepingReader(Reader):
    """A `Reader` that keeps what a prompt's row holds beside it: the right answer, say, which a reward function needs.

    Attributes:
        kept: the other columns by the place of the example.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.kept: dict[Place, dict[str, Any]] = {}

    def example(self, value: Any, place: Place) -> Record | Broken:
        """The example of a value; its other columns are kept."""
        found = super().example(value, place)
        if isinstance(found, Record) and found.layout.type == PROMPTS:
            self.kept[place] = {str(name): held for name, held in value.items() if name not in TRL_COLUMNS}
        return found


def columns(record: Record, beside: Mapping[str, Any]) -> Columns:
    """The example of a record of one of these types, with the columns that its type does not read."""
    held: dict[str, Any] = dict(beside)
    for name, role, text in zip(record.columns, record.roles, record.contents, strict=True):
        if record.layout.format == CONVERSATIONAL:
            held.setdefault(name, []).append({"role": role, "content": text})
        else:
            held[name] = text
    if record.flags:
        held["label"] = record.flags[0]
    return Columns(str(record.place), held)
