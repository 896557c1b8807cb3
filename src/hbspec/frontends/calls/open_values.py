"""What a call leaves open: arguments that are computed, and what only the training script says."""

from __future__ import annotations

import re

from hbspec.diagnostics import Route, Severity
from hbspec.frontends.calls.hardware import PLACES
from hbspec.frontends.calls.jobs import JobCall
from hbspec.frontends.calls.script_arguments import ARGUMENTS, TRAINING, canonical
from hbspec.frontends.calls.values import OTHER_ARGUMENTS
from hbspec.frontends.known.script_arguments import WITH_INFLUENCE, WITHOUT_INFLUENCE
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.left_open import Remark, Said
from hbspec.frontends.reading.own_program import SCRIPT
from hbspec.showing import shown

COMPILED = "to compile the job, say with --with what it needs"
READ = "set it with --set or --with, or write it as a literal"
DECIDING = (
    "distribution",
    "distributed",
    "compiler_config",
    "instance_groups",
    OTHER_ARGUMENTS,
    "source_code",
    "compute",
)
NAMES = (SCRIPT, ("script", "source_dir"), ("sagemaker", "job_name"))
OTHER_TASK = re.compile(
    r"(?:^|[^a-z])(grpo|dpo|ppo|kto|orpo|rlhf|rloo|rlvr|verl|gkd|reward|distillation)(?:[^a-z]|$)",
    re.IGNORECASE,
)
OF_SPEC = {"per_device_train_batch_size": "per_device_batch_size", "lora_target_modules": "target_modules"}
WITHOUT_MEMORY = (
    *("num_train_epochs", "learning_rate", "max_steps", "weight_decay", "warmup_steps", "warmup_ratio", "seed"),
    *("lr_scheduler_type", "lora_alpha", "logging_steps", "save_steps", "save_total_limit", "max_grad_norm"),
)
"""Hyperparameters that decide time or the loss, and not memory."""
VERSIONS = {
    "transformers_version": ("software", "transformers"),
    "pytorch_version": ("software", "torch"),
    "framework_version": ("software", "torch"),
    "image_uri": ("software", "transformers"),
    "training_image": ("software", "transformers"),
}


def say_what_is_open(job: JobCall, building: Building, said: Said) -> None:
    """Findings on what is computed, and on what the script decides."""
    _refuse_other_tasks(job, building, said)
    _say_computed(job, building, said)
    _say_guessed(job, building, said)


def _refuse_other_tasks(job: JobCall, building: Building, said: Said) -> None:
    """A program whose name says that it does not train on supervised rows: an estimate of those would be too small."""
    if said(("task",)):
        return
    command = job.computed.get(("source_code", "command"))
    for name in (*map(building.value, NAMES), command and command.spelling):
        found = OTHER_TASK.search(name) if isinstance(name, str) else None
        if found:
            named = shown(_clipped(str(name)))
            message = f"by its name, `{named}` is not supervised tuning but {found[1]}: it is not estimated"
            action = "say what it trains with --set task=…, if a spec has that task, or task=sft, if the name is wrong"
            building.remark(Remark("HB027", Severity.ERROR, job.job.span, message, action), "task")
            return


def _say_computed(job: JobCall, building: Building, said: Said) -> None:
    """Each computed argument that may matter at its place, and the others together."""
    others: list[str] = []
    parts = set[str]()
    for route, node in job.computed.items():
        place, matters = _place_of(route)
        if place is None and matters and route[0] != ARGUMENTS:
            if str(route[0]) in parts:
                continue  # one part of an argument that is not read says it
            parts.add(str(route[0]))
        if place is not None and said(place):
            continue
        name = "some arguments" if route[-1] == OTHER_ARGUMENTS else ".".join(map(str, route))
        if place is None and not matters:
            others.append(name)
            continue
        verb = "are" if name == "some arguments" else "is"
        message = f"{name} {verb} computed (`{shown(_clipped(node.spelling))}`): not read"
        building.remark(Remark("HB048", Severity.WARNING, node.span, message, READ), *route)
        if matters:
            building.uncertain(name)
    if others:
        verb = "is" if len(others) == 1 else "are"
        message = f"{', '.join(others)} {verb} computed: not read; no estimate needs {'it' if verb == 'is' else 'them'}"
        building.remark(Remark("HB048", Severity.NOTE, job.job.span, message, COMPILED), "computed")


def _place_of(route: Route) -> tuple[Route | None, bool]:
    """The value of a spec that an argument would be, and whether it may influence memory."""
    dotted = ".".join(map(str, route))
    rented = next((place for place, names in PLACES.items() if dotted in names), None)
    if rented is not None:
        return rented, False
    if route[0] == ARGUMENTS:
        return _argument(str(route[-1])) if len(route) > 1 else (None, True)
    if dotted in VERSIONS:
        return VERSIONS[dotted], True
    return None, route[0] in DECIDING


def _argument(name: str) -> tuple[Route | None, bool]:
    meant = canonical(name)
    if meant == "model_id":
        return ("model", "id"), True
    from hbspec.spec import section_keys

    key = OF_SPEC.get(meant, meant)
    if key in (section_keys((TRAINING,)) or ()):
        return (TRAINING, key), key not in WITHOUT_MEMORY
    return None, bool(WITH_INFLUENCE.search(meant)) or not WITHOUT_INFLUENCE.search(meant)


def _say_guessed(job: JobCall, building: Building, said: Said) -> None:
    """What the call does not say and decides memory, with what is taken for it."""
    left = [guess for guess in job.guesses if not said(guess.route)]
    if not left:
        return
    building.guessed.update(guess.route for guess in left)
    script = "its program" if SCRIPT in building.defaults else building.value(SCRIPT)
    taken = ", ".join(f"{guess.what} {guess.taken}" for guess in left)
    message = f"the call leaves to {shown(str(script))} what the estimate needs, which is guessed: {taken}"
    action = f"say it with --set or --with, as in --set {'.'.join(map(str, left[0].route))}=…"
    building.remark(Remark("HB068", Severity.WARNING, job.job.span, message, action), "guessed")
    building.uncertain("script")


def _clipped(text: str, width: int = 60) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
