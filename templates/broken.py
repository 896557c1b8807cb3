"""What of data files cannot be used: where it stands, why, and what to do about it.

Only the standard library is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

REPLACE = "replace it by a complete file"


class Place(NamedTuple):
    """A line of a file, from 1; 0 stands for the file as a whole.

    Where a file does not have lines, `noun` says what is counted: a row of a table, an entry of a list.
    """

    file: str
    line: int
    noun: str = "line"

    def __str__(self) -> str:
        number = str(self.line) if self.noun == "line" else f"{self.noun} {self.line}"
        return f"{self.file}:{number}" if self.line else self.file


class FileRefusedError(ValueError):
    """A file cannot be read to its end.

    Args:
        what: is wrong, in words that go on after the file's name.
        action: what to do.
    """

    def __init__(self, what: str, action: str = REPLACE) -> None:
        super().__init__(what)
        self.action = action


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that cannot be used, or with `rest` all that is left of a file, and why; and what to do, if that is known.

    >>> Broken(Place("a.json", 3, "entry"), "not a map").advice
    'fix or delete the entry'
    """

    place: Place
    reason: str
    rest: bool = False
    action: str = ""

    @property
    def advice(self) -> str:
        """One action."""
        return self.action or (REPLACE if self.rest else f"fix or delete the {self.place.noun}")


def rest_of(place: Place, refused: ValueError) -> Broken:
    """What is left of a file behind a place, where an error says why it is not read."""
    return Broken(place, f"the file {refused}", rest=True, action=getattr(refused, "action", ""))
