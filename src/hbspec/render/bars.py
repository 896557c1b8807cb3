"""A GPU's memory as a bar of letters, readable without colour.

```text
[QQQQQQQQQQEEEEHHHHAA+++??.....................]
```

Each letter is a term, `+` expected overhead, `?` possible overhead, `.` free memory, and `|` the usable limit where
the bar extends beyond it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from string import ascii_lowercase, ascii_uppercase

from hbspec.render.lines import Line

LEGEND = "+ overhead expected   ? overhead possible   . free   | usable limit"


@dataclass(frozen=True, slots=True)
class Filling:
    """The contents of one GPU, in bytes.

    Attributes:
        terms: tensors by name.
        expected: memory of the process, as expected.
        high: memory of the process at most.
        usable: memory that PyTorch can use, None where it is not known.
    """

    terms: Mapping[str, int]
    expected: float
    high: float
    usable: int | None


def letters(names: Iterable[str]) -> dict[str, str]:
    """A letter for each name, from the name itself where one of its letters is still free.

    >>> letters(["weights", "loading", "layer_inputs", "logits"])
    {'weights': 'W', 'loading': 'L', 'layer_inputs': 'A', 'logits': 'O'}
    """
    taken: dict[str, str] = {}
    for name in names:
        own = [letter for letter in name.upper() if letter in ascii_uppercase]
        free = (letter for letter in (*own, *ascii_uppercase, *ascii_lowercase) if letter not in taken.values())
        taken[name] = next(free, "#")
    return taken


def bar(filling: Filling, letter: Mapping[str, str], width: int) -> Line:
    """The bar, `width` columns wide including its brackets."""
    cells = max(width - 2, 1)
    scale = max(filling.usable or 0, filling.high, 1) / cells
    signs = [_sign(filling, letter, (cell + 0.5) * scale) for cell in range(cells)]
    if filling.usable is not None and filling.high > filling.usable:
        signs[min(cells - 1, int(filling.usable / scale))] = ("title", "|")
    inside = tuple(
        (style, "".join(sign for _, sign in group)) for style, group in groupby(signs, key=lambda pair: pair[0])
    )
    return (("", "["), *inside, ("", "]"))


def _sign(filling: Filling, letter: Mapping[str, str], place: float) -> tuple[str, str]:
    """Style and character of the byte at `place`."""
    over = filling.usable is not None and place > filling.usable
    end = 0
    for name, size in filling.terms.items():
        end += size
        if place < end:
            return "bad" if over else "bar", letter[name]
    if place < filling.expected:
        return "bad" if over else "faint", "+"
    return ("bad" if over else "open", "?") if place < filling.high else ("rest", ".")
