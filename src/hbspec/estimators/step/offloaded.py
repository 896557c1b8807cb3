"""Activations that are kept in host memory: what is under way at once, and what each rank keeps there."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.kinds import kinds, program_profile
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.lifetimes.model import RunProfile
from hbspec.estimators.step.lifetimes.offloading import STASH
from hbspec.estimators.step.lifetimes.program import Program


def in_flight(profile: RunProfile, program: Program, layers: int, tokens: int, row: int) -> int:
    """Bytes on their way to the host, or on their way back.

    Of layers that are computed again those are the inputs of the last few. Left out: what the transfers hold longer
    where they are slower than the kernels.

    Args:
        profile: what a run of the program told.
        program: what runs.
        layers: how many layers the GPU has.
        tokens: of the micro-batch.
        row: of the longest row.
    """
    if not program.offloads:
        return 0
    sizes = [size.at(tokens, row) for size in profile.stashes]
    if program.checkpointing:
        sizes += [min(STASH, layers) * size.at(tokens, row) for size in (*profile.moved[0],)[:1]]
    return max(sizes, default=0)


def offloaded_tensors(job: Job, program: Program) -> Iterator[tuple[Form, int]]:
    """Sizes of the activations that a forward pass of the whole model moves to the host, and how many are alike."""
    profile = program_profile(job.architecture, program)
    numbers = kinds(job.architecture, program).numbers(0, job.architecture.num_hidden_layers)
    for index, number in {**numbers, -1: 1}.items():
        for size in profile.moved[index]:
            yield size, number
