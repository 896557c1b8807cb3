"""The trainings that a script starts, and the one that is judged: its keys, its files, and what is not known of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from hbspec.frontends import front_of
from hbspec.frontends.commands.accelerated import FILES, Accelerated, is_option
from hbspec.frontends.commands.flags import Flags, OpenFlag, Places, flags_of
from hbspec.frontends.commands.launch import Started, started
from hbspec.frontends.commands.named_files import NamedFiles
from hbspec.frontends.commands.peft_example import as_trl, is_example
from hbspec.frontends.commands.script import Script
from hbspec.frontends.known.trl import TASKS
from hbspec.frontends.reading.foreign import Foreign, ForeignKey, node_of, plain
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.pinned import pinned
from hbspec.source.nodes import MapNode, ScalarNode
from hbspec.source.problems import Problems
from hbspec.spec.foreign import program_of
from hbspec.spec.objectives import OTHER_TASKS
from hbspec.spelling import nearest

TRL, LLAMA_FACTORY, AXOLOTL = "trl", "llamafactory", "axolotl"
BY_COMMAND = {"trl": TRL, "llamafactory-cli": LLAMA_FACTORY, "lmf": LLAMA_FACTORY, "axolotl": AXOLOTL}
PACKAGES = {"trl": TRL, "llamafactory": LLAMA_FACTORY, "axolotl": AXOLOTL}
BY_NAME = {"TRL": TRL, "LLaMA-Factory": LLAMA_FACTORY, "axolotl": AXOLOTL}
CONFIGURATIONS = (".yaml", ".yml", ".json")
FEW = 4
"""A script is taken for a program's if at most one in so many of its arguments is strange to it."""
OTHERS = (OTHER_TASKS.keys() - {"pt", "rm", "ipo"}) | {"grpo", "gspo", "mpo", "ssd", "minillm"}
"""Trainers of TRL's that are not estimated, by which scripts are named; three of the table's are words of others."""
OF_TRL = re.compile(r"(?:^|/)(?:trl/(?:scripts|experimental)|examples/scripts)/")
"""Folders in which every script trains by TRL."""
ELSEWHERE = re.compile(
    r"run_(?:clm|mlm|plm|glue|qa|ner|swag|seq2seq|translation|summarization|speech|image|audio)\w*\.py"
)
"""Scripts of transformers' own examples, whose arguments have the names of TRL's and other defaults."""


class TrainingCommand(NamedTuple):
    """A command that trains: what starts it, and what it says.

    Attributes:
        started: the command.
        front: the name of the front end that reads its keys.
        task: the word that says what is trained; None where only keys do.
        tree: its keys, those of the named file below its flags.
        flags: the flags alone.
        options: the launcher's.
        config: the flag or word that names a file that is not there.
        is_peft: whether it is peft's example, whose arguments have other names.
    """

    started: Started
    front: str
    task: ForeignKey | None
    tree: MapNode
    flags: Flags
    options: Flags
    config: ForeignKey | None
    is_peft: bool


class CommandLine(Foreign):
    """The keys of one command, and what is known around it.

    Attributes:
        training: the command.
        places: those of the script.
        others: the other trainings of the script.
        accelerated: accelerate's settings.
        script: what does not end in it.
        named: the names of the files that were read.
    """

    def __init__(
        self,
        training: TrainingCommand,
        others: tuple[TrainingCommand, ...],
        places: Places,
        files: NamedFiles,
        script: Script,
    ) -> None:
        super().__init__(training.tree)
        self.training, self.others, self.places, self.script = training, others, places, script
        self.options = Foreign(training.options.tree)
        self.accelerated = Accelerated(self.options, files)
        self.named = tuple(files.read)


def trainings(script: Script, places: Places, files: NamedFiles) -> Iterator[TrainingCommand]:
    """Every command of a script that starts a training of a program that is read."""
    for run in script.runs:
        found = started(run)
        training = training_of(found, places, files) if found else None
        if training:
            yield training


def training_of(command: Started, places: Places, files: NamedFiles) -> TrainingCommand | None:
    """What a command trains; None if it is not a training of a program that is read."""
    known = frozenset(pinned("trl")["fields"]) | frozenset(pinned("llamafactory")["fields"])
    flags, options = flags_of(command.arguments, places, known), flags_of(command.options, places, frozenset())
    missing, below = _configuration(flags, places, files)
    entries = {**(below.entries if below else {}), **flags.tree.entries}
    for given in flags.open:
        entries.pop(given.key, None)
    if missing is None or missing.key == "config":
        entries.pop("config", None)
    tree = MapNode(entries, places.span(command.at.word, command.at.word + len(command.at.spelling)))
    if command.launcher == "trl":
        tree, options = _parted(tree, flags.open)
    is_peft = is_example(tree)
    tree = as_trl(tree) if is_peft else tree
    task = _task(command, places)
    front = _front(command, tree, task, reads_file=below is not None or is_peft)
    if front is None:
        return None
    task = task if front == TRL else None
    return TrainingCommand(command, front, task, _with_files(tree, files), flags, options, missing, is_peft)


def _parted(tree: MapNode, computed: tuple[OpenFlag, ...]) -> tuple[MapNode, Flags]:
    """The keys of `trl`, and those that it gives to `accelerate launch`, from its flags and from its file."""
    theirs = frozenset(pinned("trl")["fields"]).difference(FILES)
    handed = {key: pair for key, pair in tree.entries.items() if is_option(key) and key not in theirs}
    own = {key: pair for key, pair in tree.entries.items() if key not in handed}
    is_open = tuple(given for given in computed if is_option(given.key) and given.key not in theirs)
    return MapNode(own, tree.span), Flags(MapNode(handed, None), is_open, (), ())


def _configuration(flags: Flags, places: Places, files: NamedFiles) -> tuple[ForeignKey | None, MapNode | None]:
    """The file of `--config`, or the first word that names one: itself if it is not there, or else what it holds."""
    given = Foreign(flags.tree).get("config")
    first = next((word for word in flags.files if word.text.endswith(CONFIGURATIONS)), None)
    if given is None and first is not None and not first.is_open:
        given = ForeignKey((first.text,), first.text, node_of(first.text, places.of(first)), places.of(first))
    if given is None or not isinstance(given.value, str):
        return None, None
    read = files.tree(given.text)
    return (given, None) if read is None else (None, read[1])


def _with_files(tree: MapNode, files: NamedFiles) -> MapNode:
    """The keys with paths as they are from the script's folder, and FSDP's JSON in the place of its name."""
    entries = dict(tree.entries)
    span, node = entries.get("deepspeed", (None, None))
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and (found := files.found(node.value)):
        entries["deepspeed"] = (span, ScalarNode(found, found, node.span))
    span, node = entries.get("fsdp_config", (None, None))
    if isinstance(node, ScalarNode) and isinstance(node.value, str) and (read := files.tree(node.value)):
        entries["fsdp_config"] = (span, read[1])
    return MapNode(entries, tree.span)


def _task(command: Started, places: Places) -> ForeignKey | None:
    """The trainer of TRL's that the name of a command or of a script says."""
    name = command.program.text
    stem = (name.rpartition(".")[2] if command.is_module else PurePosixPath(name).stem).casefold().replace("-", "_")
    within = [task for task in ("sft", *TASKS, *sorted(OTHERS, key=len)) if f"_{task}_" in f"_{stem}_"]
    found = within[-1] if within else stem if OF_TRL.search(name) else None
    if found is None or (found in TASKS and len(within) > 1):
        return None
    span = places.of(command.program)
    return ForeignKey(("task",), found, ScalarNode(found, found, span), span)


def _front(command: Started, tree: MapNode, task: ForeignKey | None, *, reads_file: bool) -> str | None:
    """The front end that reads the keys."""
    if command.launcher in BY_COMMAND:
        return BY_COMMAND[command.launcher]
    package = command.program.text.partition(".")[0] if command.is_module else ""
    if package in PACKAGES:
        return PACKAGES[package] if tree.entries else None
    if ELSEWHERE.fullmatch(PurePosixPath(command.program.text).name) or not tree.entries:
        return None
    program = BY_NAME.get(program_of(plain(tree)) or "")
    if program is None:
        program = TRL if task and "model_name_or_path" in tree.entries else None
    return program if program and (reads_file or _are_keys_of(tree, program)) else None


def _are_keys_of(tree: MapNode, program: str) -> bool:
    """Whether most arguments of a script are keys of a program: other scripts have some names in common with it."""
    known = front_of(program).fields().known
    strange = [key for key in tree.entries if key not in known and not nearest(key, known)]
    return program != AXOLOTL and len(strange) <= len(tree.entries) // FEW


def chosen(found: list[TrainingCommand], name: str | None) -> TrainingCommand | None:
    """The training with a number, from 1, or the first; None if no one has it."""
    if name is None:
        return found[0] if found else None
    is_number = name.isdecimal() and 0 < int(name[:9]) <= len(found)
    return found[int(name[:9]) - 1] if is_number else None


def command_line(
    script: Script, places: Places, problems: Problems, name: str | None, *, allow_outside: bool
) -> CommandLine | None:
    """The training of a script that is judged; None without any.

    Raises:
        LookupError: none has the number `name`; the error says which there are.
    """
    trial = NamedFiles(places.file, Problems(), allow_outside=allow_outside)  # whose faults are of commands not judged
    found = [*trainings(script, places, trial)]
    one = chosen(found, name)
    if one is None and found:
        raise LookupError("; ".join(f"{number} is {where(each, places)}" for number, each in enumerate(found, 1)))
    files = NamedFiles(places.file, problems, allow_outside=allow_outside)
    again = training_of(one.started, places, files) if one else None
    if again is None:
        return None
    return CommandLine(again, tuple(each for each in found if each is not one), places, files, script)


def where(training: TrainingCommand, places: Places) -> str:
    """A command as the author would find it."""
    return f"`{training.started.shown}` in line {places.position(training.started.at.word).line}"


def front(training: TrainingCommand) -> FrontEnd:
    """The front end of the program that trains."""
    return front_of(training.front)
