"""Any command line, parsed by typer: help, shell completion, and messages about mistakes. The only use of typer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from inspect import Parameter as Argument
from inspect import Signature
from io import StringIO
from typing import Any, TextIO

import typer

from hbspec import __version__
from hbspec.cli.command import COMMANDS, Call, Command, Parameter, command
from hbspec.cli.plain import SET
from hbspec.showing import shown

GROUPS = {
    "data": "Profile and check training data.",
    "catalog": "Bring the catalog up to date.",
    "model": "Add a model.",
    "evaluation": "Compare the records of evaluations.",
    "policy": "What an organisation allows.",
}
HELP = "Declarative fine-tuning jobs: checked before they cost anything, then compiled."
SETTINGS = {"help_option_names": ["-h", "--help"]}


def read(argv: Sequence[str]) -> Call | int:
    """The call that a command line spells, or the exit code if help or a mistake has been printed."""
    calls: list[Call] = []
    out, err = StringIO(), StringIO()
    try:
        # typer bypasses a stream that it considers misconfigured, and echoes the words of the call unredacted
        with redirect_stdout(out), redirect_stderr(err):
            application(calls.append)(args=list(argv), prog_name="hbspec")
    except SystemExit as done:
        if not calls:
            _repeat(out, sys.stdout)
            _repeat(err, sys.stderr)
            return done.code if isinstance(done.code, int) else 2
    return calls[0]


def _repeat(said: StringIO, stream: TextIO) -> None:
    stream.writelines(f"{shown(line)}\n" for line in said.getvalue().removesuffix("\n").split("\n") if said.getvalue())


def application(receive: Callable[[Call], None]) -> typer.Typer:
    """Every command as a typer application that runs nothing: it passes the call to `receive`."""
    plain = {"rich_markup_mode": None, "context_settings": SETTINGS, "no_args_is_help": True}
    root = typer.Typer(help=HELP, pretty_exceptions_enable=False, **plain)  # type: ignore[arg-type]
    root.callback()(_options)
    groups = {name: typer.Typer(help=summary, **plain) for name, summary in GROUPS.items()}  # type: ignore[arg-type]
    for name in COMMANDS:
        group, _, own_name = name.rpartition(" ")
        found = command(name)
        parent = groups[group] if group else root
        parent.command(own_name, help=f"{found.summary}\n\n{found.details}", context_settings=SETTINGS)(
            _function(found, receive)
        )
        if group and groups[group] not in [entry.typer_instance for entry in root.registered_groups]:
            root.add_typer(groups[group], name=group)
    return root


def _function(found: Command, receive: Callable[[Call], None]) -> Callable[..., None]:
    """A function with the command's options as its signature, which typer reads."""

    def receiver(**given: Any) -> None:
        words = {parameter.name: _words(parameter, given[parameter.name]) for parameter in found.parameters}
        receive(Call(found, words))

    arguments = [_argument(parameter) for parameter in found.parameters]
    receiver.__signature__ = Signature(arguments)  # type: ignore[attr-defined]
    receiver.__annotations__ = {argument.name: argument.annotation for argument in arguments}
    return receiver


def _argument(parameter: Parameter) -> Argument:
    kind: Any = bool if parameter.switch else list[str] if parameter.repeated else str | None
    about: dict[str, Any] = {"help": parameter.help, "show_default": parameter.default is not None}
    if parameter.choices:
        about["autocompletion"] = lambda: list(parameter.choices)
    if not parameter.switch:
        about["metavar"] = f"[{'|'.join(parameter.choices)}]" if parameter.choices else parameter.metavar
    default: Any = parameter.default
    if default is None:
        default = ... if parameter.required else False if parameter.switch else [] if parameter.repeated else None
    declared = typer.Option(default, *parameter.flags, **about) if parameter.flags else typer.Argument(default, **about)
    return Argument(parameter.name, Argument.KEYWORD_ONLY, default=declared, annotation=kind)


def _words(parameter: Parameter, given: Any) -> tuple[str, ...]:
    if parameter.switch:
        return SET if given else ()
    if parameter.repeated:
        return tuple(given or ())
    return () if given is None else (given,)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"hbspec {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(False, "--version", "-V", help="Print the version.", is_eager=True, callback=_version),
    debug: bool = typer.Option(
        False, "--debug", help="Show the traceback of an internal error; goes before the command."
    ),
) -> None:
    """The options before a command."""
