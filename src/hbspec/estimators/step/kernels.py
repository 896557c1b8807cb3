"""What a micro-batch launches and writes, by the same run over shapes that tells its memory.

Nearly every storage that the run makes is the output of one kernel, so their number is that of the launches, and their
bytes are what is written. What a kernel reads is about as much again and is part of the constant that turns written
bytes into seconds. Left out: kernels that write nothing new, such as views and copies into what exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.kinds import kinds, program_profile
from hbspec.estimators.step.lifetimes.ledger import ROWS_TOKENS, Work
from hbspec.estimators.step.lifetimes.modules import UNPACKED
from hbspec.estimators.step.positions import program_at, row_tokens


class Kernels(NamedTuple):
    """Kernels of one pass of one micro-batch on one GPU.

    Attributes:
        launches: how many there are.
        written: bytes that they write, without unpacked weights.
        unpacked: bytes of quantised weights in the compute dtype, with their scales.
    """

    launches: int
    written: int
    unpacked: int

    def plus(self, other: Kernels) -> Kernels:
        """Both together."""
        return Kernels(self.launches + other.launches, self.written + other.written, self.unpacked + other.unpacked)


@lru_cache(maxsize=512)  # what a GPU runs is the same on every type of GPU
def kernels(job: Job, tokens: int) -> tuple[Kernels, Kernels]:
    """Kernels of the forward pass, and of the backward pass with what is computed again, of all layers and the loss.

    A head that never holds all logits counts for nothing here but its operations.

    Args:
        job: the job.
        tokens: T, tokens of each row of the micro-batch.
    """
    architecture, n = job.architecture, job.training.micro_batch * tokens
    program = program_at(job, tokens)
    run = program_profile(architecture, program)
    numbers = kinds(architecture, program).numbers(0, architecture.num_hidden_layers)
    row = row_tokens(job, tokens)

    def of(layers: Sequence[Mapping[str, Work]], loss: Mapping[str, Work]) -> Kernels:
        total = _counted(loss.items(), n, row)
        for index, number in numbers.items():
            found = _counted(layers[index].items(), n, row)
            total = total.plus(Kernels(*(number * count for count in found)))
        return total

    return of(run.forward_work, run.loss_work[0]), of(run.backward_work, run.loss_work[1])


def _counted(work: Iterable[tuple[str, Work]], n: int, row: int) -> Kernels:
    launches = written = unpacked = 0
    for term, made in work:
        launches += made.kernels + made.in_rows * -(-row // ROWS_TOKENS)
        size = made.written.at(n, row)
        if term == UNPACKED:
            unpacked += size
        else:
            written += size
    return Kernels(launches, written, unpacked)
