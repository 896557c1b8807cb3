"""The statements of a cell, and what of it is not Python: lines of IPython, errors, and the end of half a file."""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from collections.abc import Iterator
from io import StringIO
from itertools import pairwise
from typing import NamedTuple

from hbspec.diagnostics import Position, Span
from hbspec.frontends.calls.cells import Cell

OF_PYTHON = ("time", "timeit", "capture", "prun", "python", "python3")
"""Magics of whole cells whose lines are Python all the same."""
SHELL = r"(?:pip|conda) install .*|(?:cd|ls|rm|cp|mv|mkdir|cat|git|aws) [^=(]*"
"""Commands that IPython takes without a sign before them."""
OF_IPYTHON = re.compile(rf"([ \t]*)(?:[!%?].*|[\w.]+\?{{1,2}}[ \t]*|{SHELL})")
ASSIGNED = re.compile(r"([ \t]*\w+(?:[ \t]*,[ \t]*\w+)*[ \t]*=)[ \t]*[!%].*")
GOES_ON = ("else", "elif", "except", "finally")
CLOSING = {"(": ")", "[": "]", "{": "}"}
DROPPED = 6
"""Lines at the end of half a file that are given up, one after the other, to read the others."""


class NotPython(NamedTuple):
    """Lines that are not read: where the error is, what it is, and the last line."""

    span: Span
    reason: str
    last: int


class Statements(NamedTuple):
    """What a cell holds."""

    cell: Cell
    body: tuple[ast.stmt, ...]
    unread: tuple[NotPython, ...] = ()


def statements_of(cell: Cell) -> Statements:
    """The statements of a cell; where it is not Python, those of its pieces that are."""
    try:
        return Statements(cell, _parsed(cell.text))
    except SyntaxError:
        plain = _without_ipython(cell.text)
    try:
        return Statements(cell, _parsed(plain))
    except SyntaxError:
        return _in_pieces(cell, plain)


def _parsed(text: str) -> tuple[ast.stmt, ...]:
    """The statements of a text.

    Raises:
        SyntaxError: it is not Python, or nested too deeply.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on escapes that Python will refuse one day
            return tuple(ast.parse(text).body)
    except (ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, SyntaxError):
            raise
        raise SyntaxError("it cannot be parsed", ("", 1, 1, None)) from error


def _without_ipython(text: str) -> str:
    """The text with `pass` where a line is for the shell or for IPython; what such a line assigns is computed."""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and first[2:].split()[:1] not in [[name] for name in OF_PYTHON]:
        return ""
    goes_on = False
    for number, line in enumerate(lines):
        assigned, other = ASSIGNED.fullmatch(line), OF_IPYTHON.fullmatch(line)
        if goes_on:
            lines[number] = ""
        elif assigned:
            lines[number] = f"{assigned[1]} get_ipython()"
        elif other:
            lines[number] = f"{other[1]}pass"
        goes_on = (goes_on or bool(assigned or other)) and line.endswith("\\")
    return "\n".join(lines)


def _in_pieces(cell: Cell, text: str) -> Statements:
    """The statements of the pieces that are Python; of the last, those lines that are."""
    lines = text.split("\n")
    starts = [*_starts(text), len(lines) + 1]
    body: list[ast.stmt] = []
    unread: list[NotPython] = []
    for start, end in pairwise(starts):
        piece = lines[start - 1 : end - 1]
        try:
            found = _parsed("\n".join(piece))
        except SyntaxError as error:
            found, kept = _half(piece) if end > len(lines) else ((), 0)
            first = start + kept if kept else start + (error.lineno or 1) - 1
            column = 1 if kept else max(error.offset or 1, 1)
            place = Position(min(first, len(lines)), column)
            span = Span(cell.file, place, Position(place.line, column + 1))
            unread.append(NotPython(span, "the end is missing" if kept else error.msg, end - 1))
        for statement in found:
            ast.increment_lineno(statement, start - 1)
        body += found
    return Statements(cell, tuple(body), tuple(unread))


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens up to the first error."""
    try:
        yield from tokenize.generate_tokens(StringIO(text).readline)
    except (tokenize.TokenError, SyntaxError):
        return


def _starts(text: str) -> Iterator[int]:
    """The lines on which a statement of the top level begins; a decorator begins what it decorates."""
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    is_new, decorates = True, False
    for token in _tokens(text):
        if token.type == tokenize.NEWLINE:
            is_new = True
        elif is_new and token.type not in skipped:
            is_new = False
            if token.start[1] == 0 and not decorates and token.string not in GOES_ON:
                yield token.start[0]
            decorates = token.string == "@" and token.start[1] == 0


def _half(lines: list[str]) -> tuple[tuple[ast.stmt, ...], int]:
    """The statements of a text whose end is missing, and the number of lines that they are read from."""
    for kept in range(len(lines), max(len(lines) - DROPPED, 0), -1):
        text = "\n".join(lines[:kept])
        opened: list[str] = []
        for token in _tokens(text):
            if token.string in CLOSING:
                opened.append(CLOSING[token.string])
            elif opened and token.string == opened[-1]:
                opened.pop()
        if opened:
            try:
                return _parsed(f"{text}\n{''.join(reversed(opened))}"), kept
            except SyntaxError:
                continue
    return (), 0
