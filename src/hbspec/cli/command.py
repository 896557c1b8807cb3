"""What a command is: a function and the words that it takes.

Commands are described once, as data, and read twice: `plain.py` reads the everyday calls without loading anything,
`full.py` hands the description to typer, which knows help, completion and what to say about a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from hbspec.spelling import nearest

COMMANDS = (
    "check",
    "estimate",
    "compile",
    "explain",
    "rules",
    "init",
    "smoke",
    "data profile",
    "data merge",
    "data check",
    "schema",
)
"""Every command, in the order in which `--help` lists them: `data profile` is the `COMMAND` of `data_profile.py`."""


class MisuseError(Exception):
    """The command line asks for something that there is not; the message says what there is."""


def as_text(text: str) -> Any:
    """A word as it is."""
    return text


class Parameter(NamedTuple):
    """One argument (without flags) or option of a command.

    Attributes:
        name: of the function's own parameter.
        default: the word that stands for none; without it the function is given None.
        convert: a word to the value; raises `MisuseError`. Not used by a switch.
        switch: an option without a value.
        repeated: takes any number of words, and gives a tuple.
        required: at least one word must be there.
    """

    name: str
    help: str
    flags: tuple[str, ...] = ()
    metavar: str = ""
    default: str | None = None
    convert: Callable[[str], Any] = as_text
    choices: tuple[str, ...] = ()
    switch: bool = False
    repeated: bool = False
    required: bool = False

    def value(self, words: Sequence[str]) -> Any:
        """What the function is given for the words of a call.

        Raises:
            MisuseError: a word that the parameter does not take.
        """
        if self.switch:
            return bool(words)
        values = tuple(self._one(word) for word in words)
        if self.repeated:
            return values
        return values[-1] if values else None

    def _one(self, word: str) -> Any:
        shown = self.flags[0] if self.flags else self.metavar
        if self.choices and word not in self.choices:
            raise MisuseError(f"{shown} {word} is none of {', '.join(self.choices)}{did_you_mean(word, self.choices)}")
        try:
            return self.convert(word)
        except ValueError as reason:
            raise MisuseError(f"{shown} {word}: {reason}") from None


class Command(NamedTuple):
    """A command and what carries it out: `run` takes each parameter by name and returns the exit code."""

    name: str
    summary: str
    run: Callable[..., int]
    parameters: tuple[Parameter, ...]
    details: str = ""


class Call(NamedTuple):
    """A command and the words for each of its parameters, defaults included; a switch that is on has the word `set`."""

    command: Command
    words: Mapping[str, tuple[str, ...]]

    def run(self) -> int:
        """Carry it out.

        Raises:
            MisuseError: a word that its parameter does not take.
        """
        values = {parameter.name: parameter.value(self.words[parameter.name]) for parameter in self.command.parameters}
        return self.command.run(**values)


def command(name: str) -> Command:
    """The command of a name in `COMMANDS`; only its own module is loaded."""
    found: Command = import_module(f"hbspec.cli.{name.replace(' ', '_')}").COMMAND
    return found


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """A question to put behind a word that is none of the choices; empty if none is close."""
    close = nearest(word, choices)
    return f"; did you mean {close}?" if close else ""
