"""The files without which a checkpoint cannot be resumed from, whatever its manifest lists, and those that are loaded.

The trainer silently restarts any state that it does not find: the optimizer, the schedule, a rank's random numbers. The
names are those of transformers (`Trainer._save_checkpoint`), accelerate (FSDP) and DeepSpeed. Only the standard library
is imported.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from fingerprint import Fingerprint

Needed = tuple[str, ...]
"""Patterns of names, one of which must be there."""

WEIGHTS: tuple[Needed, ...] = (("model.safetensors", "model.safetensors.index.json"),)
ADAPTER: tuple[Needed, ...] = (("adapter_model.safetensors",), ("adapter_config.json",))
UNSHARDED: tuple[Needed, ...] = (("optimizer.pt",), ("scheduler.pt",))
FSDP: tuple[Needed, ...] = (
    ("pytorch_model_fsdp_0/.metadata", "pytorch_model_fsdp.bin"),
    ("optimizer_0/.metadata", "optimizer.bin"),
    ("scheduler.pt",),
)
ZERO: tuple[Needed, ...] = (("latest",), ("global_step*/*model_states.pt",), ("global_step*/*optim_states.pt",))
STATE = "trainer_state.json"

LOADED = re.compile(
    r"(?:.*/)?(?:.*[.](?:bin|safetensors|distcp|index[.]json)|.*(?:optimizer|scheduler|scaler|_states)[.]pt"
    r"|rng_state.*[.]pth|[.]metadata|adapter_config[.]json|trainer_state[.]json|latest)"
    r"|.*pytorch_model_fsdp.*|optimizer_[0-9]+|global_step.*"
)
"""Files and folders that are loaded for their names alone, by the trainer, peft, accelerate or DeepSpeed, in the place
of those that were saved or beside them."""

READ = "config.json"
"""Read when a checkpoint is loaded, though nothing is taken from it (transformers, `Trainer._load_from_checkpoint`)."""


def missing(names: Collection[str], theirs: Fingerprint) -> Iterator[str]:
    """The files that are needed and not among the names.

    Args:
        names: of a checkpoint's files, relative to it.
        theirs: the fingerprint of the run that saved it.

    Raises:
        LookupError, TypeError: the fingerprint does not say how that run saved.
    """
    for patterns in _needed(theirs):
        if not any(fnmatchcase(name, pattern) for pattern in patterns for name in names):
            yield " or ".join(patterns)


def _needed(theirs: Fingerprint) -> Iterator[Needed]:
    layout, processes = theirs["learned"]["checkpoint files"], theirs["noted"]["processes"]
    if layout == "whole":
        yield from WEIGHTS if theirs["learned"]["METHOD"] == "full" else ADAPTER
        yield from UNSHARDED
    else:
        yield from FSDP if layout == "fsdp" else ZERO
    yield (STATE,)
    yield from ((f"rng_state_{rank}.pth",) for rank in range(processes)) if processes > 1 else [("rng_state.pth",)]


def is_loaded(name: str) -> bool:
    """Whether a file is read where a run goes on from a checkpoint, by its path there. A model's card never is.

    >>> is_loaded("adapter_model.safetensors"), is_loaded("README.md")
    (True, False)
    """
    return LOADED.fullmatch(name) is not None or name == READ
