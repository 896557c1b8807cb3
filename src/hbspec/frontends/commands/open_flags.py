"""What only a shell tells of a command line: values of flags, and words that may be flags."""

from __future__ import annotations

import re

from hbspec.diagnostics import Route, Severity
from hbspec.frontends.commands.accelerated import is_option
from hbspec.frontends.commands.flags import OpenFlag
from hbspec.frontends.commands.processes import open_devices
from hbspec.frontends.commands.training import CommandLine
from hbspec.frontends.reading.arguments import ABOVE_ZERO, IGNORED, SAME
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.influence import NOTHING, READ, TIME, UNSORTED, ProgramKeys
from hbspec.frontends.reading.left_open import Remark, Said
from hbspec.showing import shown

TRAINING = "hyperparameters"
OTHER_NAMES: dict[str, Route] = {
    "model_name_or_path": ("model", "id"),
    "base_model": ("model", "id"),
    "max_seq_length": (TRAINING, "max_length"),
    "cutoff_len": (TRAINING, "max_length"),
    "sequence_len": (TRAINING, "max_length"),
    "lora_rank": (TRAINING, "lora_r"),
    "lora_target_modules": (TRAINING, "target_modules"),
    "lora_target": (TRAINING, "target_modules"),
    "micro_batch_size": (TRAINING, "per_device_batch_size"),
    "num_epochs": (TRAINING, "num_train_epochs"),
    "optimizer": (TRAINING, "optim"),
}
"""Keys by the value of a spec that they are, beside those of transformers."""
PROCESSES = ("nproc_per_node", "num_processes", "num_gpus", "nnodes", "num_machines", "num_nodes", "include")
WITHOUT_SHARE = frozenset(
    (
        *("main_process_port", "main_process_ip", "machine_rank", "rdzv_backend", "log_dir", "tee", "role", "quiet"),
        *("num_cpu_threads_per_process", "gpu_ids", "main_training_function", "debug", "same_network"),
    )
)
"""Options of `accelerate launch` that say where processes run, and not how they share the work."""
WITHOUT_MEMORY = frozenset(
    (
        *("learning_rate", "num_train_epochs", "num_epochs", "max_steps", "weight_decay", "lr_scheduler_type", "seed"),
        *("warmup_ratio", "warmup_steps", "max_grad_norm", "adam_beta1", "adam_beta2", "adam_epsilon", "lora_alpha"),
        *("logging_steps", "save_steps", "save_total_limit", "beta"),
    )
)
"""Keys that decide time or the loss, and not memory."""
HARMLESS = frozenset((*IGNORED, "dataset_name", "dataset_train_split", "dataset_test_split", "dataset", "env"))
"""Keys that are read, and influence neither memory nor time."""
ACTION = "write the value as a literal, or set it with --set or --with"
EVERY_GPU = "{} is computed: one process for every GPU is taken"
RUNS = re.compile(r"[$<>]\(|`")
"""What begins a command inside of a word."""
PASSED_ON = ("$@", "$*", "${@}", "${*}")


def say_what_is_open(command: CommandLine, building: Building, fields: ProgramKeys, said: Said) -> None:
    """Findings at each value that matters, and one note on the others."""
    training = command.training
    harmless: list[str] = []
    for given in training.options.open:
        _say_launch(given, building, said)
    devices = open_devices(training.started)
    if devices is not None and not building.processes and not said(("instance", "parallelism")):
        place = command.places.of(training.started.at)
        building.remark(Remark("HB048", Severity.WARNING, place, EVERY_GPU.format(devices), ACTION), devices)
    for given in training.flags.open:
        if given not in training.options.open and not _say(given, building, fields, said):
            harmless.append(given.key)
    if harmless:
        verb = "is" if len(harmless) == 1 else "are"
        message = (
            f"{', '.join(harmless)} {verb} computed: not read; no estimate needs {'it' if verb == 'is' else 'them'}"
        )
        place = command.places.of(command.training.started.at)
        building.remark(
            Remark("HB048", Severity.NOTE, place, message, "leave it, or write it as a literal"), "computed"
        )
    for word in (*training.flags.more, *training.options.more):
        passed = word.spelling.strip('"') in PASSED_ON
        what = "are the script's own arguments" if passed else "may be more flags, and only a shell tells"
        severity = Severity.NOTE if passed else Severity.WARNING
        remark = Remark(
            "HB048", severity, command.places.of(word), f"`{shown(word.spelling)}` {what}: not read", ACTION
        )
        building.remark(remark, "flags", word.word)
        if not passed:
            building.uncertain("flags")


def _say(given: OpenFlag, building: Building, fields: ProgramKeys, said: Said) -> bool:
    """Says what a value that is not known influences; whether it influences anything."""
    route = route_of(given.key)
    influence = fields.influence(given.key) if given.key in fields.known else UNSORTED
    if influence.on == NOTHING or given.key in HARMLESS:
        return False
    if route and said(route):
        return True
    in_time = influence.on == TIME or (influence.on == READ and given.key in WITHOUT_MEMORY)
    what = "time or the loss" if in_time else "memory"
    message = f"{_computed(given)}: not read, and it influences {what}"
    building.remark(Remark("HB048", Severity.WARNING, given.span, message, ACTION), given.key)
    if not in_time:
        building.uncertain(given.key)
    return True


def route_of(key: str) -> Route | None:
    """The value of a spec that a key is, if it is one."""
    if key in OTHER_NAMES:
        return OTHER_NAMES[key]
    name = SAME.get(key) or ABOVE_ZERO.get(key) or key
    from hbspec.spec import section_keys

    return (TRAINING, name) if name in (section_keys((TRAINING,)) or ()) else None


def _say_launch(given: OpenFlag, building: Building, said: Said) -> None:
    """A launcher's option: a number of processes, or how they share the work."""
    shares = is_option(given.key) and given.key not in WITHOUT_SHARE
    if said(("instance", "parallelism")) or not (shares or given.key in PROCESSES):
        return
    message = f"{_computed(given)}: how the GPUs share the work is not known"
    if given.key in PROCESSES:
        message = EVERY_GPU.format(given.key)
    building.remark(Remark("HB048", Severity.WARNING, given.span, message, ACTION), given.key)
    if given.key not in PROCESSES:
        building.uncertain(given.key)


def _computed(given: OpenFlag) -> str:
    """That a value is computed, and from what; what a command puts out may be a secret, and the command is left out."""
    if RUNS.search(given.spelling):
        return f"{given.key} is what a command puts out"
    return f"{given.key} is computed (`{shown(given.spelling)}`)"
