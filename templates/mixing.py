"""How often an example is in an epoch, and which examples are held out for validation.

Both are decided without a draw: the same files give the same epoch and the same split on any machine, in a profile and
in a job. Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from hashlib import blake2b
from math import ceil
from typing import TypeVar

Item = TypeVar("Item")


def held_out(examples: int, share: float) -> int:
    """How many of so many examples a share holds out for validation: at least one, and fractions count as one more.

    >>> held_out(1000, 0.05), held_out(100, 0.07), held_out(3, 0.1)
    (50, 7, 1)
    """
    return ceil(examples * Fraction(str(share)))


def split(
    examples: Sequence[Item], share: float, seed: int, prompt: Callable[[Item], str]
) -> tuple[list[Item], list[Item]]:
    """Examples to train on, and `held_out` of them for validation, both in their order.

    Examples are ranked by a digest of the seed and their prompt, and the first are held out. So examples of one prompt
    are on one side, but for one prompt at most, and another order of the files changes nothing else.

    Args:
        examples: of the training data.
        share: above 0 and below 1.
        seed: another one holds out other examples.
        prompt: what tells an example from others that it must not be parted from.
    """
    key = seed.to_bytes(8)
    marks = [blake2b(prompt(example).encode(), digest_size=16, key=key).digest() for example in examples]
    ranked = sorted(range(len(examples)), key=lambda index: (marks[index], index))
    out = frozenset(ranked[: held_out(len(examples), share)])
    parts: tuple[list[Item], list[Item]] = [], []
    for index, example in enumerate(examples):
        parts[index in out].append(example)
    return parts


def weight_of(name: str, weights: Mapping[str, float]) -> Fraction:
    """How often the examples of a file are in an epoch: what is said of it, or else of the innermost folder; or once.

    Args:
        name: of the file, below the folder of the split, with slashes.
        weights: by the names of files, and of folders with a slash at their end.
    """
    folders = [name[: index + 1] for index, letter in enumerate(name) if letter == "/"]
    said = next((weights[key] for key in (name, *reversed(folders)) if key in weights), 1)
    return Fraction(str(said))


def unmatched(names: Iterable[str], weights: Mapping[str, float]) -> list[str]:
    """The keys of weights that are neither one of these names nor a folder of one."""
    known = list(names)
    return [
        key for key in weights if not any(name == key or (key[-1:] == "/" and name.startswith(key)) for name in known)
    ]


def repeated(examples: Iterable[Item], weight: Fraction) -> Iterator[Item]:
    """Each example as often as the weight says, evenly: of n examples there are the whole part of n times the weight.

    >>> list(repeated("abcd", Fraction("0.5"))), list(repeated("abc", Fraction("1.5")))
    (['b', 'd'], ['a', 'b', 'b', 'c'])
    """
    for number, example in enumerate(examples):
        yield from [example] * times(number, weight)


def times(number: int, weight: Fraction) -> int:
    """How often the example with this number, from 0, is among `repeated` ones."""
    return int((number + 1) * weight) - int(number * weight)
