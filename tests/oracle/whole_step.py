"""The most memory of a training step, whatever the model calls its parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from oracle.build import build
from oracle.case import Case
from oracle.optimizers import make_states, optimizer_of
from oracle.step import MAX_NORM, hold_gradients, hold_weights, inputs_of, loss_of, on_cuda
from oracle.tracer import Trace


def peak(case: Case) -> int:
    """Bytes that are alive at most in one steady-state step of a case, without accumulated gradients.

    An optimizer has no states of what no gradient reaches (torch 2.13, `optim/adam.py`, `_init_group`), and which that
    is, a step tells: where there is any, a second one is traced.
    """
    most, reached = _step(case, None)
    return most if all(reached) else _step(case, reached)[0]


def _step(case: Case, reached: Sequence[bool] | None) -> tuple[int, list[bool]]:
    """The most bytes of a step, and whether a gradient came to each trained parameter; as it was in a step before."""
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    model = build(case, fake)
    trace = Trace({})
    hold_weights(trace, model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer_of(case, model)
    with fake, on_cuda(trace, case), trace:
        make_states(trace, optimizer, trained if reached is None else [*compress(trained, reached)])
        row = inputs_of(case)
        for tensor in row.values():
            trace.hold(tensor, "inputs")
        trace.peaks.clear()
        loss_of(model, case, row).backward()
        hold_gradients(trace, trained)
        found = [parameter.grad is not None for parameter in trained]
        torch.nn.utils.clip_grad_norm_(trained, MAX_NORM, foreach=True)
        optimizer.step()
        optimizer.zero_grad()
    return max(most for most, _ in trace.peaks.values()), found
