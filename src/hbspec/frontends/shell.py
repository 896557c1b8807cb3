"""Command lines that start TRL, LLaMA-Factory or axolotl, in shell scripts and READMEs: flags are keys of its file.

The text is read, and no part of it is run: variables count where a literal is certain to be assigned to them.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import PurePath, PurePosixPath

from hbspec.diagnostics import Severity
from hbspec.frontends import trl
from hbspec.frontends.accelerate import FRONT as ACCELERATE
from hbspec.frontends.commands.fences import scripts_in
from hbspec.frontends.commands.flags import Places
from hbspec.frontends.commands.open_flags import say_what_is_open
from hbspec.frontends.commands.peft_example import put_defaults
from hbspec.frontends.commands.processes import put_processes
from hbspec.frontends.commands.script import script_of
from hbspec.frontends.commands.slurm import time_limit
from hbspec.frontends.commands.training import OF_TRL, TRL, CommandLine, command_line, front, where
from hbspec.frontends.known import trl as known_trl
from hbspec.frontends.known.script_arguments import WITH_INFLUENCE, WITHOUT_INFLUENCE
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey, node_of
from hbspec.frontends.reading.front import Code, FrontEnd, PartAbove
from hbspec.frontends.reading.influence import ProgramKeys
from hbspec.frontends.reading.left_open import Remark, Said
from hbspec.frontends.reading.own_program import SCRIPT
from hbspec.manual import text as pages
from hbspec.manual.foreign import PAGES
from hbspec.source.problems import Problems
from hbspec.spelling import nearest

MARKDOWN = (".md", ".mdx", ".markdown")
LISTED = 4
"""The other trainings of a file that a message names; the rest is counted."""
MAX_RUNTIME = ("instance", "max_runtime")
HANDBOOK = "scripts/"
"""The folder of the alignment handbook's scripts, which take what TRL's configuration takes."""


def read_code(code: Code, problems: Problems) -> Foreign | None:
    """The training of a script; None, with the reason in `problems`, if there is none."""
    places = Places(code.file, code.text)
    is_page = PurePath(code.file).suffix.casefold() in MARKDOWN
    script = script_of(code.text, scripts_in(code.text) if is_page else [(0, len(code.text))])
    try:
        found = command_line(script, places, problems, code.job, allow_outside=code.allow_outside)
    except LookupError as none:
        message = f"--as shell:{code.job} is not the number of a training: {none.args[0]}"
        problems.add(pages.UNREADABLE_FILE, code.file, message, "name one of these numbers")
        return None
    if found is None and script.unclosed:
        place = places.span(script.unclosed.start, script.unclosed.start + 1)
        problems.add(PAGES["HB067"], place, f"{script.unclosed.what} begins here and does not end", "close it")
    elif found is None and not problems.diagnostics:
        message = "this file starts no training that is read: no command line of trl, LLaMA-Factory or axolotl"
        action = "name the file with the command that trains, its configuration, or a spec"
        problems.add(PAGES["HB067"], code.file, message, action)
    return found


def of_program(foreign: Foreign) -> FrontEnd:
    """The front end that reads a command: that of the program which it starts."""
    assert isinstance(foreign, CommandLine)  # noqa: S101 - `read_code` makes no other
    program = front(foreign.training)
    accelerated = foreign.accelerated.tree
    parts = () if accelerated is None else (PartAbove(ACCELERATE, Foreign(accelerated)),)
    return program._replace(
        translate=translate, fields=lambda: _fields(foreign), finish=finish, also=foreign.named, parts=parts
    )


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a command."""
    assert isinstance(foreign, CommandLine)  # noqa: S101 - as above
    _say_the_rest(foreign, building)
    training = foreign.training
    if training.is_peft:
        put_defaults(foreign, building)
    if training.front == TRL:
        trl.translate_for(foreign, building, training.task)
        _put_script(foreign, building)
    else:
        front(training).translate(foreign, building)
    options = foreign.options if foreign.accelerated.tree is None else Foreign(foreign.accelerated.tree)
    put_processes(training.started, options, building, foreign.places)
    _put_limit(foreign, building)


def finish(foreign: Foreign, building: Building, said: Said) -> None:
    """What only a shell tells, unless it is said elsewhere."""
    assert isinstance(foreign, CommandLine)  # noqa: S101 - as above
    say_what_is_open(foreign, building, _fields(foreign), said)


def _fields(command: CommandLine) -> ProgramKeys:
    training = command.training
    if training.front == TRL and training.task:
        return known_trl.fields_of(training.task.text)
    return front(training).fields()


def _put_limit(command: CommandLine, building: Building) -> None:
    """The time after which Slurm stops the job."""
    directives = command.training.started.run.directives
    seconds = time_limit(directives)
    if seconds:
        place = command.places.of(directives["time"])
        given = ForeignKey(("--time",), directives["time"].text, node_of(directives["time"].text, place), place)
        building.put(MAX_RUNTIME, given, f"{seconds}s")


def _put_script(command: CommandLine, building: Building) -> None:
    """The script of a command, and what it may do that its flags do not say."""
    started = command.training.started
    if started.launcher == "trl" or started.is_module:
        return
    path, span = started.program.text, command.places.of(started.program)
    building.put(SCRIPT, ForeignKey(("script",), path, node_of(path, span), None))
    if OF_TRL.search(path) or path.startswith(HANDBOOK) or command.training.is_peft:
        return
    by_name = command.training.task is not None
    said = f"{PurePosixPath(path).name} is taken to train as TRL's script for its flags does: it is not read"
    severity = Severity.NOTE if by_name else Severity.WARNING
    building.remark(Remark("HB068", severity, span, said, "compare its defaults with TRL's"), "script")
    if not by_name:
        building.uncertain("script")
        _put_own_arguments(command, building)


def _put_own_arguments(command: CommandLine, building: Building) -> None:
    """Flags that the script alone may have: a misspelt key of TRL's is left to be found."""
    fields = _fields(command)
    for given in [*command.rest()]:
        if len(given.route) > 1 or given.key in fields.known or nearest(given.key, fields.known):
            continue
        command.get(given.key)
        if WITH_INFLUENCE.search(given.key) or not WITHOUT_INFLUENCE.search(given.key):
            building.unread(given, "either", "is an argument of the script alone")


def _say_the_rest(command: CommandLine, building: Building) -> None:
    """Files that are not there, other trainings, and a text that does not end."""
    config, missing = command.training.config, command.accelerated.missing
    for given in (config, missing):
        if given:
            building.unread(given, "either", f"names {given.text}, a file that is not there or may not be read")
    if command.others:
        listed = [where(other, command.places) for other in command.others]
        more = f", and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
        message = (
            f"the file starts {len(listed) + 1} trainings; this is {where(command.training, command.places)}, and the "
            f"others are {', '.join(listed[:LISTED])}{more}"
        )
        place = command.places.of(command.training.started.at)
        remark = Remark("HB066", Severity.NOTE, place, message, "name another by its number, as in --as shell:2")
        building.remark(remark, "commands")
    _say_what_it_leaves(command, building)
    unclosed = command.script.unclosed
    if unclosed:
        place = command.places.span(unclosed.start, unclosed.start + 1)
        message = f"{unclosed.what} begins here and does not end: what follows is not read"
        building.remark(Remark("HB067", Severity.WARNING, place, message, "close it"), "code")
        building.uncertain("code that is not read")


def _say_what_it_leaves(command: CommandLine, building: Building) -> None:
    """Flags on the next line of which a shell makes another command: a comment or a lost backslash is between them."""
    runs, own = command.script.runs, command.training.started.run
    follows = next((after for run, after in pairwise(runs) if run is own), None)
    first = follows.words[0] if follows else None
    if first and first.text.startswith("--"):
        flag = first.text.partition("=")[0]  # its value may be a secret
        message = f"`{flag}` begins another command: the one before has ended, and does not get this flag"
        action = "end the line before with a backslash and nothing after it, without a comment between"
        building.remark(Remark("HB067", Severity.WARNING, command.places.of(first), message, action), "left")


def fields() -> ProgramKeys:
    """No key is of command lines alone."""
    return ProgramKeys("a command line", frozenset(), {})


FRONT = FrontEnd("a command line", translate, fields, code=read_code, of=of_program)
