"""The optimizer of a case, with the states that it has from its second step on."""

from __future__ import annotations

from functools import partial

import bitsandbytes as bnb
import torch
from torch import Tensor, nn
from transformers import Trainer

from oracle.case import Case
from oracle.tracer import Trace

OPTIMIZERS = {
    "adamw_torch": partial(torch.optim.AdamW, foreach=True),
    "adamw_torch_fused": partial(torch.optim.AdamW, fused=True),
    "adamw_bnb_8bit": bnb.optim.AdamW8bit,
}
"""By transformers' names. On a GPU torch's AdamW takes the foreach implementation by itself."""


def optimizer_of(case: Case, model: nn.Module) -> torch.optim.Optimizer:
    """The optimizer with the groups that `transformers.Trainer` makes: foreach temporaries exist for one at a time."""
    decayed = set(Trainer.get_decay_parameter_names(None, model))
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    groups = [[parameter for name, parameter in named if (name in decayed) is wanted] for wanted in (True, False)]
    return OPTIMIZERS[case.optim]([{"params": group} for group in groups if group], lr=1e-4, weight_decay=0.0)


def make_states(trace: Trace, optimizer: torch.optim.Optimizer, trained: list[nn.Parameter]) -> None:
    """Takes a first step, and tells the trace what its states are. The step count lies on the host unless fused."""
    for parameter in trained:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    for state in optimizer.state.values():
        for name, value in state.items():
            if isinstance(value, Tensor) and name == "step" and not optimizer.defaults.get("fused"):
                trace.forget(value)
            elif isinstance(value, Tensor):
                trace.hold(value, "states")
