"""The words of a shell script, each with its place: POSIX quoting, expansions, comments and here-documents.

Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html, 2.2, 2.3 and 2.6.2.
Arrays are bash's. Nothing is evaluated; patterns, tildes and braces stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Literal(NamedTuple):
    """Characters that stand for themselves, with the index of each in the text."""

    text: str
    places: tuple[int, ...]
    quoted: bool = False


class Named(NamedTuple):
    """`$NAME`, `${NAME}`, `${NAME:-default}` or, of an array, `${NAME[@]}`."""

    name: str
    start: int
    end: int
    quoted: bool
    default: Literal | None = None
    array: bool = False


class Open(NamedTuple):
    """What only a shell tells: `$(…)`, `$1`, arithmetic, and other forms of `${…}`."""

    start: int
    end: int


Piece = Literal | Named | Open


class Word(NamedTuple):
    """A word; `items` are those of an array that it assigns."""

    pieces: tuple[Piece, ...]
    start: int
    end: int
    items: tuple[Word, ...] | None = None


class ControlOperator(NamedTuple):
    """A control operator, a redirection, or a newline."""

    text: str
    start: int


class Unclosed(NamedTuple):
    """A quote or an expansion that does not end: nothing after it is read."""

    what: str
    start: int


Token = Word | ControlOperator | Unclosed

BLANK = " \t\r"
CONTINUED = re.compile(r"\\\r?\n")
OPERATOR = re.compile(r"&&|\|\||;;&?|;&|<<-|<<<|<<|>>|<&|>&|&>>|&>|<>|>\||\|&|[;&|()<>]|\n")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[@*]\])?(?::?[-=]([^\"'\\$`{}]*|\"[^\"'\\$`{}]*\"|'[^\"'\\$`{}]*'))?")
"""What is read of `${…}`: a name, perhaps with a default that is a literal."""
ARRAY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
SPECIAL = "@*#?$!-0123456789"


class _EndError(Exception):
    """Something does not end."""

    def __init__(self, what: str, start: int) -> None:
        super().__init__(what)
        self.what, self.start = what, start


def tokens_of(text: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """The words and operators of a part of a text, in order; an `Unclosed` is the last."""
    yield from _Lexer(text, start, len(text) if end is None else end).tokens()


class _Lexer:
    def __init__(self, text: str, start: int, end: int) -> None:
        self._text, self._at, self._end = text, start, end
        self._delimiters: list[tuple[str, bool]] = []

    def tokens(self) -> Iterator[Token]:
        awaits: str | None = None
        try:
            while (token := self._next()) is not None:
                yield token
                if isinstance(token, ControlOperator):
                    awaits = token.text if token.text in ("<<", "<<-") else None
                    if token.text == "\n":
                        self._skip_documents()
                elif awaits:
                    name = "".join(piece.text for piece in token.pieces if isinstance(piece, Literal))
                    self._delimiters.append((name, awaits == "<<-"))
                    awaits = None
        except _EndError as unclosed:
            yield Unclosed(unclosed.what, unclosed.start)

    def _skip_documents(self) -> None:
        """The bodies of here-documents, which begin on the next line."""
        for name, stripped in self._delimiters:
            while self._at < self._end:
                stop = self._text.find("\n", self._at, self._end)
                stop = self._end if stop < 0 else stop
                line = self._text[self._at : stop].rstrip("\r")
                self._at = min(stop + 1, self._end)
                if (line.lstrip("\t") if stripped else line) == name:
                    break
        self._delimiters.clear()

    def _next(self) -> Word | ControlOperator | None:
        while self._at < self._end:
            here = self._text[self._at]
            if here in BLANK:
                self._at += 1
            elif self._skip(CONTINUED):
                pass
            elif here == "#":
                stop = self._text.find("\n", self._at, self._end)
                self._at = self._end if stop < 0 else stop
            elif found := OPERATOR.match(self._text, self._at, self._end):
                self._at = found.end()
                return ControlOperator(found[0], found.start())
            else:
                return self._word()
        return None

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self._text, self._at, self._end)
        if found:
            self._at = found.end()
        return found is not None

    def _word(self) -> Word:
        start, pieces = self._at, list[Piece]()
        while self._at < self._end:
            here = self._text[self._at]
            if here in BLANK:
                break
            if self._skip(CONTINUED):
                continue
            if here == "(" and len(pieces) == 1 and isinstance(pieces[0], Literal) and ARRAY.fullmatch(pieces[0].text):
                return Word(tuple(pieces), start, self._at, self._items())
            if OPERATOR.match(self._text, self._at, self._end):
                break
            for piece in self._double() if here == '"' else [self._piece(here)]:
                self._add(pieces, piece)
        return Word(tuple(pieces), start, self._at)

    @staticmethod
    def _add(pieces: list[Piece], piece: Piece) -> None:
        """Adds a piece, and joins characters that are quoted alike."""
        last = pieces[-1] if pieces else None
        if isinstance(last, Literal) and isinstance(piece, Literal) and last.quoted == piece.quoted:
            piece = Literal(last.text + piece.text, last.places + piece.places, last.quoted)
            pieces.pop()
        pieces.append(piece)

    def _piece(self, here: str) -> Piece:
        """The next piece outside double quotes."""
        if here == "'":
            return self._single()
        if here in "$`":
            return self._expansion(quoted=False)
        if here == "\\" and self._at + 1 < self._end:
            self._at += 2
            return Literal(self._text[self._at - 1], (self._at - 1,), quoted=True)
        self._at += 1
        return Literal(here, (self._at - 1,))

    def _items(self) -> tuple[Word, ...]:
        """The words of an array, up to the closing parenthesis."""
        start = self._at
        self._at += 1
        found: list[Word] = []
        while (token := self._next()) is not None:
            if isinstance(token, Word):
                found.append(token)
            elif token.text == ")":
                return tuple(found)
        raise _EndError("an array", start)

    def _single(self) -> Literal:
        start = self._at
        stop = self._text.find("'", start + 1, self._end)
        if stop < 0:
            raise _EndError("a quote", start)
        self._at = stop + 1
        return Literal(self._text[start + 1 : stop], tuple(range(start + 1, stop)), quoted=True)

    def _double(self) -> list[Piece]:
        """What is in double quotes: characters and expansions, one after another."""
        start = self._at
        self._at += 1
        found: list[Piece] = [Literal("", (), quoted=True)]
        while self._at < self._end:
            here = self._text[self._at]
            if here == '"':
                self._at += 1
                return found
            if self._skip(CONTINUED):
                continue
            if here in "$`":
                self._add(found, self._expansion(quoted=True))
                continue
            if here == "\\" and self._text[self._at + 1 : self._at + 2] in tuple('$`"\\'):
                self._at += 1
            self._add(found, Literal(self._text[self._at], (self._at,), quoted=True))
            self._at += 1
        raise _EndError("a quote", start)

    def _expansion(self, *, quoted: bool) -> Piece:
        """What begins with `$` or a backtick."""
        start, follows = self._at, self._text[self._at + 1 : self._at + 2]
        if self._text[start] == "`":
            self._at = self._after_backtick(start)
            return Open(start, self._at)
        if found := NAME.match(self._text, start + 1, self._end):
            self._at = found.end()
            return Named(found[0], start, self._at, quoted)
        if follows == "{":
            return self._braced(start, quoted)
        if follows == "(" or (follows == "'" and not quoted):
            self._at = self._after_nested(start + 1) if follows == "(" else self._after_ansi(start)
            return Open(start, self._at)
        if follows and follows in SPECIAL:
            self._at = start + 2
            return Open(start, self._at)
        self._at = start + 1
        return Literal("$", (start,), quoted)

    def _braced(self, start: int, quoted: bool) -> Piece:
        self._at = self._after_nested(start + 1)
        found = BRACED.fullmatch(self._text, start + 2, self._at - 1)
        if found is None:
            return Open(start, self._at)
        name, array, default = found.groups()
        if default is None:
            return Named(name, start, self._at, quoted, array=bool(array))
        at, text = found.start(3), default
        if text[:1] in ("'", '"') and text[:1]:
            at, text = at + 1, text[1:-1]
        given = Literal(text, tuple(range(at, at + len(text))), quoted)
        return Named(name, start, self._at, quoted, given, bool(array))

    def _after_backtick(self, start: int) -> int:
        at = start + 1
        while at < self._end:
            if self._text[at] == "`":
                return at + 1
            at += 2 if self._text[at] == "\\" else 1
        raise _EndError("a command in backticks", start)

    def _after_ansi(self, start: int) -> int:
        at = start + 2
        while at < self._end:
            if self._text[at] == "'":
                return at + 1
            at += 2 if self._text[at] == "\\" else 1
        raise _EndError("a quote", start)

    def _after_nested(self, start: int) -> int:
        """The index after the bracket that closes the one at `start`; brackets in quotes do not count."""
        pairs, open_ones, quote, at = {"(": ")", "{": "}"}, list[str](), "", start
        while at < self._end:
            here = self._text[at]
            if here == "\\" and quote != "'":
                at += 1
            elif quote:
                quote = "" if here == quote else quote
            elif here in "'\"":
                quote = here
            elif here in pairs:
                open_ones.append(pairs[here])
            elif open_ones and here == open_ones[-1]:
                open_ones.pop()
                if not open_ones:
                    return at + 1
            at += 1
        raise _EndError("an expansion", start - 1)
