"""A command: a function, and the arguments and options that it takes.

Commands are described once, as data, and read twice: `plain.py` parses everyday calls without loading anything else,
and `full.py` passes the description to typer, which prints help, completes words and explains mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from hbspec.spelling import nearest

COMMANDS = (
    "check",
    "estimate",
    "optimize",
    "report",
    "compare",
    "diff",
    "compile",
    "explain",
    "rules",
    "init",
    "import",
    "demo",
    "smoke",
    "measure",
    "submit",
    "status",
    "logs",
    "stop",
    "watch",
    "verify",
    "evaluate",
    "evaluation compare",
    "policy test",
    "data profile",
    "data merge",
    "data check",
    "data convert",
    "models",
    "model add",
    "instances",
    "prices",
    "catalog refresh",
    "schema",
    "lsp",
)
"""Every command in the order of `--help`. `data profile` is the `COMMAND` of `data_profile.py`."""


class MisuseError(Exception):
    """The command line asks for something that does not exist; the message says what exists."""


def as_text(text: str) -> Any:
    """The word, unchanged: the default of `Parameter.convert`."""
    return text


class Parameter(NamedTuple):
    """One argument (without flags) or option of a command.

    Attributes:
        name: the name of the function's parameter.
        help: one sentence for `--help`.
        flags: the option's spellings; empty for an argument.
        metavar: the value's placeholder in `--help`.
        default: the word used if the call has none; without a default the function is given None.
        convert: makes the value from a word; raises `ValueError` or `MisuseError`. Not used by a switch.
        choices: the allowed words; empty for any.
        switch: an option without a value.
        repeated: takes any number of words; the value is a tuple.
        required: at least one word must be given.
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
        """The function's argument for the words of a call.

        Raises:
            MisuseError: the parameter does not take one of the words.
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
            raise MisuseError(
                f"{shown} {word} is not one of {', '.join(self.choices)}{did_you_mean(word, self.choices)}"
            )
        try:
            return self.convert(word)
        except ValueError as reason:
            raise MisuseError(f"{shown} {word}: {reason}") from None


class Command(NamedTuple):
    """A command and its function: `run` takes each parameter by name and returns the exit code."""

    name: str
    summary: str
    run: Callable[..., int]
    parameters: tuple[Parameter, ...]
    details: str = ""


class Call(NamedTuple):
    """A command with the words for each parameter, defaults included; a switch that is on has the word `set`."""

    command: Command
    words: Mapping[str, tuple[str, ...]]

    def run(self) -> int:
        """Run the command, and return its exit code.

        Raises:
            MisuseError: a parameter does not take its word.
        """
        values = {parameter.name: parameter.value(self.words[parameter.name]) for parameter in self.command.parameters}
        return self.command.run(**values)


def command(name: str) -> Command:
    """The command with a name in `COMMANDS`; only its module is loaded."""
    found: Command = import_module(f"hbspec.cli.{name.replace(' ', '_')}").COMMAND
    return found


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """A question to append to a message about a word that is not one of the choices; empty if no choice is close."""
    close = nearest(word, choices)
    return f"; did you mean {close}?" if close else ""
