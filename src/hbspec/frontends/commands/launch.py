"""Which commands start a training: `trl`, `llamafactory-cli`, `axolotl`, or a launcher or Python with a script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from hbspec.frontends.commands.script import Run
from hbspec.frontends.commands.variables import Field

WRAPPERS = frozenset(
    (
        *(
            "sudo",
            "nohup",
            "time",
            "env",
            "exec",
            "srun",
            "mpirun",
            "uv",
            "poetry",
            "pixi",
            "conda",
            "numactl",
            "stdbuf",
        ),
        *("nice", "ionice", "timeout", "nsys", "$", "%"),
    )
)
"""Commands that start the command which follows them, and prompts in a README."""
TRAINERS = {"trl": "", "llamafactory-cli": "train", "lmf": "train", "axolotl": "train"}
"""Programs with commands of their own, and the one that trains; each command of `trl` but `OTHER` does."""
OTHER = frozenset(("env", "vllm-serve", "skills", "chat", "--help", "-h"))
MODULES = {
    "torch.distributed.run": "torchrun",
    "torch.distributed.launch": "torchrun",
    "accelerate.commands.launch": "accelerate",
    "deepspeed.launcher.runner": "deepspeed",
}
"""Launchers by their modules."""
PYTHON = re.compile(r"python(?:3(?:\.[0-9]+)?)?")
ALWAYS = ("accelerate", "torchrun", "deepspeed", "python")


class Started(NamedTuple):
    """A command that may start a training.

    Attributes:
        launcher: `accelerate`, `torchrun`, `deepspeed`, `python`, or a program of `TRAINERS`.
        at: its first word.
        options: the words between it and what it starts.
        program: the script, the module, or the word that says what is trained.
        is_module: whether it is a module.
        arguments: the words after it.
        run: the whole command.
    """

    launcher: str
    at: Field
    options: tuple[Field, ...]
    program: Field
    is_module: bool
    arguments: tuple[Field, ...]
    run: Run

    @property
    def shown(self) -> str:
        """The command as messages name it."""
        launch = " launch" if self.launcher == "accelerate" else ""
        first = self.arguments[0].text if self.arguments else ""
        file = f" {first}" if first and not first.startswith("-") else ""
        return f"{self.launcher}{launch} {self.program.text}{file}"


def started(run: Run) -> Started | None:
    """What a command starts, if a launcher, a training program or Python is its first word, or follows a wrapper."""
    words = run.words
    first = 0
    if words and _name(words[0]) in WRAPPERS:
        known = (*TRAINERS, *ALWAYS, "accelerate-launch")
        first = next((at for at, word in enumerate(words) if PYTHON.fullmatch(_name(word)) or _name(word) in known), 0)
    return _from(words[first:], run) if words else None


def _from(words: Sequence[Field], run: Run) -> Started | None:
    name, second = _name(words[0]), words[1].text if len(words) > 1 else ""
    if name in TRAINERS:
        trains = second not in OTHER if name == "trl" else second == TRAINERS[name]
        known = len(words) > 1 and trains and not words[1].is_open
        return Started(name, words[0], (), words[1], False, tuple(words[2:]), run) if known else None
    if name == "accelerate" and second == "launch":
        return _launched("accelerate", words, 2, run)
    if name in ("accelerate-launch", "torchrun", "deepspeed"):
        return _launched(name.partition("-")[0], words, 1, run)
    if PYTHON.fullmatch(name):
        module = words[2].text if len(words) > 2 and second == "-m" else ""
        launcher = MODULES.get(module)
        return _launched(launcher, words, 3, run) if launcher else _launched("python", words, 1, run)
    return None


def _launched(launcher: str, words: Sequence[Field], first: int, run: Run) -> Started | None:
    """The script that a launcher starts: the first word that ends in `.py`, or the module after `-m`."""
    at, in_option = first, False
    while at < len(words):
        word = words[at]
        is_module = word.text in ("-m", "--module")
        if is_module:
            at += 1
        if at < len(words) and (is_module or (word.text.endswith(".py") and not word.text.startswith("-"))):
            return Started(
                launcher, words[0], tuple(words[first:at]), words[at], is_module, tuple(words[at + 1 :]), run
            )
        if word.text.startswith("-") or word.is_open:
            in_option = "=" not in word.text
        elif in_option:
            in_option = False
        else:
            return None
        at += 1
    return None


def _name(word: Field) -> str:
    return PurePosixPath(word.text).name if word.text and not word.is_open else ""
