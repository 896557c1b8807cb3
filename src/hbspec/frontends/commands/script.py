"""The commands of a shell script, with the literals that its variables certainly hold. Nothing is run.

A variable that is assigned under a condition, in a loop or in a function is known to the commands of the same block
only; after it, its value is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from hbspec.frontends.commands.slurm import directives_of, variables_of
from hbspec.frontends.commands.variables import Field, ShellArray, Value, Variables, fields_of, merged_value, text_of
from hbspec.frontends.commands.words import ControlOperator, Literal, Unclosed, Word, tokens_of

ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
ASSIGNED = re.compile(r"(?<![^\s;&|(){}'\"])([A-Za-z_][A-Za-z0-9_]*)\+?=")
"""What may assign a variable, wherever it stands."""
GIVES_DEFAULT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*):?=")
"""`${NAME:=…}`, which assigns the default."""
COUNTS = re.compile(r"\s*(?:\+\+|--)?\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\+\+|--|<<=|>>=|[-+*/%&|^]?=|$)")
"""Arithmetic that assigns a variable."""
DECLARING = ("export", "declare", "local", "readonly", "typeset")
OPENING = {"if": "fi", "while": "done", "until": "done", "for": "done", "select": "done", "case": "esac", "{": "}"}
CLOSING = frozenset(OPENING.values())
NEXT = ("then", "else", "elif", "do", "!", "time")
"""Words after which another command begins."""
BRANCHES = ("else", "elif")
SETTING = ("unset", "read", "let", "mapfile", "readarray", "getopts")
"""Commands whose words name variables that they set."""
REDIRECTIONS = ("<", ">", ">>", "<<", "<<-", "<<<", "<&", ">&", "&>", "&>>", "<>", ">|")
CONDITIONS = ("&&", "||")
BETWEEN_PATTERNS = (";;", ";&", ";;&")


OF_LAUNCHERS = ("CUDA_VISIBLE_DEVICES", "NPROC_PER_NODE", "NNODES")
"""Variables that decide how many processes a command starts."""


class Run(NamedTuple):
    """A command that the script runs.

    Attributes:
        words: its words.
        variables: those of `OF_LAUNCHERS` that are set at its place.
        directives: the options that the script gives to Slurm.
    """

    words: tuple[Field, ...]
    variables: dict[str, Field]
    directives: dict[str, Field]


class Script(NamedTuple):
    """The commands of a text, and what does not end in it."""

    runs: tuple[Run, ...]
    unclosed: Unclosed | None


def script_of(text: str, parts: Iterable[tuple[int, int]]) -> Script:
    """The commands in some parts of a text, each of which is a script of its own."""
    runs: list[Run] = []
    unclosed: Unclosed | None = None
    for start, end in parts:
        reader = _Reader(text, start, end)
        for token in tokens_of(text, start, end):
            if isinstance(token, Unclosed):
                unclosed = unclosed or token
            else:
                reader.take(token)
        reader.end_command()
        runs += reader.runs
    return Script(tuple(runs), unclosed)


class _Block(NamedTuple):
    closing: str
    assigned: set[str]


class _Reader:
    def __init__(self, text: str, start: int, end: int) -> None:
        self._text, self._start, self._end = text, start, end
        self._variables = Variables()
        self._directives = directives_of(text, start, end)
        for name, value in variables_of(self._directives):
            self._variables[name] = value
        self._blocks: list[_Block] = []
        self._words: list[Word] = []
        self._depends, self._drops_next = False, False
        self.runs: list[Run] = []

    def take(self, token: Word | ControlOperator) -> None:
        """One token after another."""
        if isinstance(token, Word):
            self._take_word(token)
        elif token.text in REDIRECTIONS:
            self._drop_number(token)
            self._drops_next = True
        elif token.text == "(":
            self.end_command()
            self._blocks.append(_Block(")", set()))
        elif token.text == ")":
            self._take_parenthesis()
        else:
            self.end_command()
            self._depends = token.text in CONDITIONS
            if token.text in BETWEEN_PATTERNS and self._blocks:
                self._forget(self._blocks[-1])

    def _take_parenthesis(self) -> None:
        """The end of a group or of a pattern of `case`."""
        if self._blocks and self._blocks[-1].closing == ")":
            self.end_command()
            self._close()
        else:
            self._words.clear()

    def _drop_number(self, token: ControlOperator) -> None:
        """The `2` of `2>`."""
        last = self._words[-1] if self._words else None
        if last and last.end == token.start and self._text[last.start : last.end].isdecimal():
            self._words.pop()

    def _take_word(self, word: Word) -> None:
        if self._drops_next:
            self._drops_next = False
            return
        name = _bare(word) if not self._words else None
        if name in CLOSING and any(block.closing == name for block in self._blocks):
            while self._close() != name:
                pass
        elif name == "function":
            self._drops_next = True
        elif name in NEXT:
            if name in BRANCHES and self._blocks:
                self._blocks.append(_Block(self._close(), set()))
        elif name in OPENING and name is not None:
            if name == "{" and not any(block.closing == "}" for block in self._blocks):
                self._variables.enter_function(word.start, self._assigned_last)
            self._blocks.append(_Block(OPENING[name], set()))
            if name in ("for", "select", "case"):
                self._words.append(word)
        else:
            self._words.append(word)

    def _close(self) -> str:
        """Ends the innermost block: what was assigned in it is not known any more."""
        block = self._blocks.pop()
        self._forget(block)
        if block.closing == "}" and not any(other.closing == "}" for other in self._blocks):
            self._variables.leave_function()
        return block.closing

    @cached_property
    def _assigned_last(self) -> dict[str, int]:
        """Where each variable is assigned for the last time: a group in braces may be the body of a function."""
        return {found[1]: found.start(1) for found in ASSIGNED.finditer(self._text, self._start, self._end)}

    def _forget(self, block: _Block) -> None:
        """What a branch has assigned is not known after it, nor after the block around it."""
        for name in block.assigned:
            self._variables[name] = None
        above = next((other for other in reversed(self._blocks) if other is not block), None)
        if above:
            above.assigned.update(block.assigned)
        block.assigned.clear()

    def end_command(self) -> None:
        """The words so far are a command, or assignments alone."""
        words, self._words = self._words, []
        self._drops_next = False
        first = _bare(words[0]) if words else None
        if first in ("for", "select"):
            self._bind_loop(words[1:])
        elif words and first != "case":
            self._command(words)

    def _bind_loop(self, words: list[Word]) -> None:
        """The variable of a loop: known only if it has one value."""
        name, given = _bare(words[0]) if words else None, words[2:]
        if name:
            found = [field for word in given for field in fields_of(word, self._variables, self._text)]
            self._set(name, found[0] if len(found) == 1 else None)

    def _command(self, words: list[Word]) -> None:
        if _bare(words[0]) in DECLARING:
            for word in words[1:]:
                self._assign(word)
            return
        count = next((number for number, word in enumerate(words) if _assigned(word) is None), len(words))
        if count == len(words):
            for word in words:
                self._assign(word)
            return
        own = {name[0]: self._value(word, len(name[0]) + 1) for word in words[:count] if (name := _assigned(word))}
        fields = [field for word in words[count:] for field in fields_of(word, self._variables, self._text)]
        self._forget_what_it_sets(words, fields)
        if fields and fields[0].text not in SETTING:
            own.update(_set_for_another(fields))
            told = {name: own.get(name, self._variables.get(name)) for name in OF_LAUNCHERS}
            known = {name: value for name, value in told.items() if isinstance(value, Field)}
            self.runs.append(Run(tuple(fields), known, self._directives))

    def _forget_what_it_sets(self, words: list[Word], fields: list[Field]) -> None:
        """Variables that a command sets in another way than by an assignment: their values are not known."""
        for word in words:
            for found in GIVES_DEFAULT.finditer(self._text, word.start, word.end):
                if not self._is_filled(found[1]):
                    self._set(found[1], None)
        name = fields[0].text if fields else ""
        if name in SETTING:
            for field in fields[1:]:
                counted = COUNTS.match(field.text) if name == "let" else None
                self._set(counted[1] if counted else field.text, None)
        elif name == "printf" and len(fields) > 2 and fields[1].text == "-v":
            self._set(fields[2].text, None)
        elif [block.closing for block in self._blocks[-2:]] == [")", ")"]:
            counted = COUNTS.match(" ".join(field.text for field in fields))
            if counted:
                self._set(counted[1], None)

    def _is_filled(self, name: str) -> bool:
        value = self._variables.get(name)
        return isinstance(value, Field) and bool(value.text) and not value.is_open

    def _assign(self, word: Word) -> None:
        named = _assigned(word)
        if named is None:
            return
        name, adds = named
        value = self._value(word, len(name) + 1 + adds)
        self._set(name, merged_value(self._variables.get(name), value) if adds else value)

    def _value(self, word: Word, skipped: int) -> Value:
        if word.items is None:
            return text_of(word, self._variables, self._text, skipped)
        items = (field for item in word.items for field in fields_of(item, self._variables, self._text))
        return ShellArray(tuple(items))

    def _set(self, name: str, value: Value) -> None:
        self._variables[name] = None if self._depends else value
        if self._blocks:
            self._blocks[-1].assigned.add(name)


def _set_for_another(fields: list[Field]) -> dict[str, Field]:
    """The variables of launchers that `env` or `sudo` sets for the command it starts."""
    found: dict[str, Field] = {}
    for field in fields[1:]:
        name, equals, value = field.text.partition("=")
        if equals and name in OF_LAUNCHERS:
            found[name] = field._replace(text=value, places=field.places[len(name) + 1 :])
    return found


def _bare(word: Word) -> str | None:
    """A word without quotes and expansions, as reserved words are written."""
    only = word.pieces[0] if len(word.pieces) == 1 else None
    return only.text if isinstance(only, Literal) and not only.quoted else None


def _assigned(word: Word) -> tuple[str, bool] | None:
    """The variable that a word assigns, and whether it adds to it."""
    first = word.pieces[0] if word.pieces else None
    found = ASSIGNMENT.match(first.text) if isinstance(first, Literal) and not first.quoted else None
    return (found[1], bool(found[2])) if found else None
