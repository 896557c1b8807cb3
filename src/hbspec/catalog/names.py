"""The parts of a model's id: family, version and size."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Self

LETTERS_ALIKE = 0.88
"""The similarity from which two family names count as one misspelt: `lama` and `llama`, not `mistral` and `mixtral`
(0.86)."""

_SIZE = re.compile(r"(?:\d+x)?\d+(?:\.\d+)?[bm]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class ModelName:
    """The parts of `Qwen/Qwen2.5-7B-Instruct`: letters `qwen`, version `("2.5",)`, size `7b`.

    The owner and all words after the size (`Instruct`, a date) are left out; without a size, the whole name is the
    family.
    """

    letters: str
    version: tuple[str, ...]
    size: str | None

    @classmethod
    def of(cls, model_id: str) -> Self:
        """The parts of an id.

        >>> ModelName.of("mistralai/Mixtral-8x7B-v0.1")
        ModelName(letters='mixtral', version=(), size='8x7b')
        """
        words = re.split(r"[-_ ]", short(model_id).removeprefix("meta-"))
        place = next((index for index, word in enumerate(words) if _SIZE.fullmatch(word)), len(words))
        family = "-".join(words[:place])
        letters = re.sub(r"[^a-z]", "", family)
        return cls(letters, tuple(_NUMBER.findall(family)), words[place] if place < len(words) else None)

    def is_like(self, other: Self) -> bool:
        """Whether family, version and size are the same, except for a typing mistake in the family."""
        alike = SequenceMatcher(None, self.letters, other.letters).ratio() >= LETTERS_ALIKE
        return alike and (self.version, self.size) == (other.version, other.size)


def short(model_id: str) -> str:
    """An id without its owner, in lower case."""
    return model_id.rpartition("/")[2].lower()


_STORED = re.compile(r"(?:-unsloth)?-(?:bnb-4bit|awq|gptq|fp8|nvfp4)(?:-(?:int[48]|dynamic))?$")


def unquantised(model_id: str, known: Iterable[str]) -> str | None:
    """The known id that a quantised copy is named after, whoever published it; None if there is none.

    >>> unquantised("unsloth/Qwen2.5-7B-Instruct-bnb-4bit", ["Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7B-Instruct"])
    'Qwen/Qwen2.5-7B-Instruct'
    """
    base = _STORED.sub("", short(model_id))
    return next((other for other in known if short(other) == base and other != model_id), None)


def nearest(model_id: str, known: Iterable[str]) -> str | None:
    """The known id of the same family, version and size with the most similar spelling; None if there is none.

    Of ids that differ by their owner only, the one that comes first.
    """
    name = ModelName.of(model_id)
    alike: dict[str, str] = {}
    for other in known:
        if name.is_like(ModelName.of(other)):
            alike.setdefault(short(other), other)
    found = get_close_matches(short(model_id), alike, n=1, cutoff=0)
    return alike[found[0]] if found else None
