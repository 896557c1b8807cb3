"""Variables of a shell script, as far as literals are assigned to them, and words with their values in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from hbspec.frontends.commands.words import Literal, Named, Open, Piece, Word

BRACES = re.compile(r"\{[^{}\s]*(?:,|\.\.)[^{}\s]*\}")
"""A brace expansion, which makes several words of one."""


class Field(NamedTuple):
    """A word as a program gets it.

    Attributes:
        text: its characters, without those that are not known.
        start: the index in the script where it is written: where it is assigned, if it is a variable's value.
        end: the index after it.
        spelling: the word as the author wrote it.
        is_open: whether only a shell tells all of it.
        word: the index of the word in the command, which is another place than `start` for a variable's value.
        places: the index of each of its characters.
    """

    text: str
    start: int
    end: int
    spelling: str
    is_open: bool
    word: int
    places: tuple[int, ...] = ()


class ShellArray(NamedTuple):
    """The items of an array."""

    items: tuple[Field, ...]


Value = ShellArray | Field | None
"""What a variable holds; None if it is not known."""


class Variables:
    """What the variables of a script hold, and how many characters their use may still add to its words.

    A script can double a variable with every line: what is used beyond `MOST` characters is not known.
    """

    MOST = 1_000_000

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._left = self.MOST
        self._later: Mapping[str, int] | None = None
        self._after, self._own = 0, set[str]()

    def enter_function(self, start: int, assigned: Mapping[str, int]) -> None:
        """A function begins: what is assigned after `start` may have changed when it is called.

        `assigned` has the place of the last assignment to each variable.
        """
        self._later, self._after, self._own = assigned, start, set()

    def leave_function(self) -> None:
        """The function has ended."""
        self._later = None

    def _may_change(self, name: str) -> bool:
        return self._later is not None and name not in self._own and self._later.get(name, -1) > self._after

    def __contains__(self, name: str) -> bool:
        return name in self._values or self._may_change(name)

    def __setitem__(self, name: str, value: Value) -> None:
        self._values[name] = value
        self._own.add(name)

    def get(self, name: str) -> Value:
        """The value; None if it is not known."""
        return None if self._may_change(name) else self._values.get(name)

    def used(self, name: str) -> Value:
        """The value where it becomes a part of a word."""
        value = self.get(name)
        parts = value.items if isinstance(value, ShellArray) else (value,)
        self._left -= sum(len(part.text) + 1 for part in parts if part)
        return value if self._left > 0 else None


def fields_of(word: Word, variables: Variables, script: str) -> list[Field]:
    """The words that a program gets for one: none for an empty variable, several for one with blanks."""
    growing = _Growing(word, script)
    for piece in word.pieces:
        _add(piece, growing, variables)
    bare = "".join(piece.text if isinstance(piece, Literal) and not piece.quoted else "x" for piece in word.pieces)
    if BRACES.search(bare):
        growing.leave_open()
    return growing.finished()


def text_of(word: Word, variables: Variables, script: str, skipped: int = 0) -> Field:
    """The value that an assignment gives: a word without its first characters, whose blanks do not part it."""
    growing = _Growing(word, script)
    for piece in word.pieces:
        if isinstance(piece, Literal) and skipped:
            piece, skipped = _without(piece, skipped), max(0, skipped - len(piece.text))
        _add(piece._replace(quoted=True) if isinstance(piece, Literal | Named) else piece, growing, variables)
    found = growing.finished()
    return found[0] if found else Field("", word.end, word.end, script[word.start : word.end], False, word.start)


def _without(piece: Literal, count: int) -> Literal:
    return Literal(piece.text[count:], piece.places[count:], piece.quoted)


def _add(piece: Piece, growing: _Growing, variables: Variables) -> None:
    if isinstance(piece, Literal):
        growing.write(piece.text, piece.places, quoted=piece.quoted)
    elif isinstance(piece, Open):
        growing.leave_open()
    else:
        _add_value(piece, growing, variables)


def _add_value(piece: Named, growing: _Growing, variables: Variables) -> None:
    value = variables.used(piece.name)
    if piece.default is not None and (piece.name not in variables or _is_empty(value)):
        growing.borrow(piece.default.text, piece.default.places, quoted=piece.quoted)
    elif isinstance(value, Field) and not value.is_open and not piece.array:
        growing.borrow(value.text, value.places, quoted=piece.quoted)
    elif isinstance(value, ShellArray) and piece.array:
        growing.several(value.items)
    else:
        growing.leave_open()


def _is_empty(value: Value) -> bool:
    return isinstance(value, Field) and not value.text and not value.is_open


class _Growing:
    """The words that one word becomes."""

    def __init__(self, word: Word, script: str) -> None:
        self._word, self._spelling = word, script[word.start : word.end]
        self._done: list[Field] = []
        self._begin()

    def _begin(self) -> None:
        self._characters: list[str] = []
        self._places: list[int] = []
        self._borrowed, self._own, self._open, self._exists = False, False, False, False

    def write(self, text: str, places: tuple[int, ...], *, quoted: bool) -> None:
        """Characters of the word itself."""
        self._own |= bool(text)
        self._put(text, places, exists=quoted or bool(text))

    def borrow(self, text: str, places: tuple[int, ...], *, quoted: bool) -> None:
        """A variable's value: without quotes its blanks part it."""
        self._borrowed = True
        if quoted:
            self._put(text, places, exists=True)
            return
        for character, place in zip(text, places, strict=True):
            if character in " \t\n":
                self._end_word()
            else:
                self._borrowed = True
                self._put(character, (place,), exists=True)

    def several(self, items: tuple[Field, ...]) -> None:
        """The items of an array, the first and the last of which join what stands beside them."""
        for number, item in enumerate(items):
            if number:
                self._end_word()
            self._borrowed = True
            self._open |= item.is_open
            self._put(item.text, item.places, exists=True)

    def leave_open(self) -> None:
        """Characters that are not known."""
        self._open = self._exists = True

    def _put(self, text: str, places: tuple[int, ...], *, exists: bool) -> None:
        self._characters.append(text)
        self._places.extend(places)
        self._exists |= exists

    def _end_word(self) -> None:
        if self._exists:
            at_value = self._borrowed and not self._own and bool(self._places)
            start = min(self._places) if at_value else self._word.start
            end = max(self._places) + 1 if at_value else self._word.end
            text = "".join(self._characters)
            places = tuple(self._places)
            self._done.append(Field(text, start, end, self._spelling, self._open, self._word.start, places))
        self._begin()

    def finished(self) -> list[Field]:
        """All words."""
        self._end_word()
        return self._done


def merged_value(before: Value, more: Value) -> Value:
    """The value after `NAME+=…`."""
    if isinstance(before, ShellArray) and isinstance(more, ShellArray):
        return ShellArray((*before.items, *more.items))
    if isinstance(before, Field) and isinstance(more, Field):
        is_open = before.is_open or more.is_open
        return more._replace(text=before.text + more.text, is_open=is_open, places=before.places + more.places)
    return None
