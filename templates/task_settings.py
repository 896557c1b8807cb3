"""Settings that a task does not take, or that cannot hold together in it, each with what to do.

TRL raises for most of them once the model is loaded; here they are refused in milliseconds. Only the standard library
is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from settings import Settings
from tasks import NO_KL, SUPERVISED

TAKEN_BY = {
    "BETA": ("dpo", "kto", "grpo"),
    "LOSS_TYPE": ("dpo", "kto", "grpo"),
    "PRECOMPUTE_REF_LOG_PROBS": ("dpo", "kto"),
    **dict.fromkeys(
        (
            *("NUM_GENERATIONS", "MAX_COMPLETION_LENGTH", "TEMPERATURE", "NUM_ITERATIONS", "STEPS_PER_GENERATION"),
            "REWARD_FUNCTIONS",
        ),
        ("grpo",),
    ),
    "PACKING": SUPERVISED,
    "LOSS": SUPERVISED,
    "ACTIVATION_OFFLOADING": ("sft", "pretrain", "dpo", "kto", "reward"),
    "WATCH_LOSS": ("sft", "pretrain", "dpo", "kto", "reward"),
    "LOAD_BEST_MODEL_AT_END": ("sft", "pretrain", "dpo", "kto", "reward"),
}
"""Settings that not every task takes. The loss of GRPO is that of advantages, whose mean is 0: it does not fall."""


def refusals(settings: Settings) -> Iterator[str]:
    """Why settings cannot be those of the task, however many processes there are; nothing where they can."""
    name, task = settings.TASK, settings.task
    for entry in fields(settings):
        takers = TAKEN_BY.get(entry.name, (name,))
        value = getattr(settings, entry.name)
        if name not in takers and value != entry.default:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()
            yield f"{entry.name}={shown} has no effect with TASK={name}, only with {', '.join(takers)}: leave it out"
    if settings.DATA_TYPE not in task.types:
        action = f"set DATA_TYPE={task.types[0]}, or another TASK"
        yield f"TASK={name} trains {' and '.join(task.types)}, and DATA_TYPE is {settings.DATA_TYPE}: {action}"
    if settings.LOSS_TYPE is not None and task.losses and settings.LOSS_TYPE not in task.losses:
        yield f"LOSS_TYPE={settings.LOSS_TYPE} is not a loss of TASK={name}: use one of {', '.join(task.losses)}"
    if name == "kto" and settings.LOSS_TYPE != NO_KL and settings.PER_DEVICE_BATCH_SIZE < 2:
        said = "TASK=kto compares each answer with another of its micro-batch, and PER_DEVICE_BATCH_SIZE is "
        yield f"{said}{settings.PER_DEVICE_BATCH_SIZE}: set it to at least 2, or LOSS_TYPE={NO_KL}"
    if name == "grpo" and not settings.REWARD_FUNCTIONS:
        yield "TASK=grpo needs REWARD_FUNCTIONS=file.py:name, a function in a file beside this script"
    if name == "grpo" and settings.MAX_LENGTH is not None and settings.MAX_COMPLETION_LENGTH >= settings.MAX_LENGTH:
        said = f"MAX_COMPLETION_LENGTH={settings.MAX_COMPLETION_LENGTH} leaves no token of MAX_LENGTH="
        yield f"{said}{settings.MAX_LENGTH} for a prompt: set a smaller one, or a larger MAX_LENGTH"


def generation_refusals(settings: Settings, processes: int) -> Iterator[str]:
    """Why so many processes cannot generate whole groups of completions; nothing where they can."""
    steps = settings.STEPS_PER_GENERATION or settings.GRADIENT_ACCUMULATION_STEPS
    batch, group = settings.PER_DEVICE_BATCH_SIZE * processes * steps, settings.NUM_GENERATIONS
    if settings.TASK == "grpo" and batch % group:
        said = f"a generation of TASK=grpo holds {batch} completions ({settings.PER_DEVICE_BATCH_SIZE} a micro-batch, "
        said += f"{processes} processes, {steps} micro-batches), and NUM_GENERATIONS is {group}"
        yield f"{said}: set PER_DEVICE_BATCH_SIZE or STEPS_PER_GENERATION so that it divides them"


def evaluation_refusals(settings: Settings, processes: int) -> Iterator[str]:
    """Why GRPO cannot evaluate: a batch holds whole groups of completions."""
    batch = (settings.PER_DEVICE_EVAL_BATCH_SIZE or settings.PER_DEVICE_BATCH_SIZE) * processes
    if settings.TASK == "grpo" and batch % settings.NUM_GENERATIONS:
        said = f"a batch of an evaluation holds {batch} completions, and NUM_GENERATIONS is {settings.NUM_GENERATIONS}"
        yield f"{said}: set PER_DEVICE_EVAL_BATCH_SIZE to a multiple of it"
