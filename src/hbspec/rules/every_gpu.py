"""The change from one process to one per GPU, as the help of rules on idle GPUs words it."""

from __future__ import annotations

from hbspec.plan import Plan
from hbspec.plan.parallelism import ADVISED
from hbspec.units import count_text

NO_ROOM = f"use GPUs with more memory: on these, the job is not certain to fit under {' or '.join(ADVISED)}"


def divides(plan: Plan, gpus: int) -> bool:
    """Whether the gradient accumulation can be divided by the number of GPUs."""
    return plan.training.gradient_accumulation % gpus == 0


def on_every_gpu(plan: Plan, gpus: int, parallelism: str) -> str:
    """The settings that keep the effective batch size with one process per GPU, or come nearest to it."""
    micro, accumulation = plan.training.micro_batch, plan.training.gradient_accumulation
    divided = max(1, -(-(2 * accumulation - gpus) // (2 * gpus)))
    action = f"set parallelism to {parallelism}"
    if divided != accumulation:
        action += f" and gradient_accumulation_steps to {divided}"
    if divides(plan, gpus):
        return f"{action}, for the same effective batch size in about 1/{gpus} of the time"
    batch, nearest = micro * accumulation, micro * divided * gpus
    return f"{action}, for an effective batch size of {count_text(nearest)} instead of {count_text(batch)}"
