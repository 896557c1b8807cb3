"""Everyday calls parsed without loading typer: options spelled in full, nothing missing, nothing to explain.

Any other command line is left to typer, so this parser may give up, but must never disagree with it
(`tests/cli/test_command_line.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from hbspec.cli.command import COMMANDS, Call, Command, command

SET = ("set",)


def read(argv: Sequence[str]) -> Call | None:
    """The call that a command line spells; None if it is left to typer."""
    for name in COMMANDS:
        words = name.split()
        if list(argv[: len(words)]) == words:
            return _call(command(name), argv[len(words) :])
    return None


def _call(command: Command, argv: Sequence[str]) -> Call | None:
    options = {flag: parameter for parameter in command.parameters for flag in parameter.flags}
    words: dict[str, list[str]] = {parameter.name: [] for parameter in command.parameters}
    positional = [parameter for parameter in command.parameters if not parameter.flags]
    rest = iter(argv)
    for word in rest:
        if word == "-" or not word.startswith("-"):
            taker = next((one for one in positional if one.repeated or not words[one.name]), None)
            if taker is None:
                return None
            words[taker.name].append(word)
            continue
        flag, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = options.get(flag)
        if option is None or (option.switch and equals):
            return None
        if option.switch:
            words[option.name] = list(SET)
            continue
        given = value if equals else next(rest, None)
        if given is None or given.startswith("-"):
            return None
        words[option.name] = [*(words[option.name] if option.repeated else ()), given]
    if any(parameter.required and not words[parameter.name] for parameter in command.parameters):
        return None
    for parameter in command.parameters:
        if parameter.default is not None and not words[parameter.name]:
            words[parameter.name] = [parameter.default]
    return Call(command, {name: tuple(given) for name, given in words.items()})
