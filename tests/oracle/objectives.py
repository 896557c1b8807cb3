"""One step of TRL's own trainers over a model of a case, traced: the loss is the trainer's `compute_loss`."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import torch
import trl
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from oracle.build import build
from oracle.case import Case
from oracle.optimizers import make_states, optimizer_of
from oracle.step import MAX_NORM, hold_gradients, hold_weights, on_cuda
from oracle.tracer import Trace

OUTPUTS = {
    "dpo": ("log_probs", "entropy", "mean_logits", "is_top1"),
    "kto": ("log_probs", "entropy", "mean_logits"),
}
"""What the trainers' heads compute of the model (`__init__`)."""

TRAINERS = {"dpo": trl.DPOTrainer, "kto": trl.KTOTrainer, "reward": trl.RewardTrainer}


def objective_peak(task: str, case: Case, *, second: bool = False, copied: bool = False) -> int:
    """Bytes that are alive at most in one steady-state step of a trainer.

    Args:
        task: of the trainer.
        case: what is trained; its batch is in rows.
        second: whether the reference is a second model.
        copied: whether it is a copy of the adapters, as `__init__` makes it.
    """
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    model = build(case, fake, rewards=task == "reward", outputs=OUTPUTS.get(task, ()))
    trace = Trace({})
    if copied:
        with fake:
            model.add_adapter("ref", model.peft_config["default"])
    hold_weights(trace, model)
    reference = build(case, fake, outputs=("log_probs",)).eval() if second else None
    if reference is not None:
        hold_weights(trace, reference)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer_of(case, model)
    trainer = _trainer(task, case, model, reference)
    with fake, on_cuda(trace, case), _read(trace), trace:
        make_states(trace, optimizer, trained)
        batch = _batch(task, case)
        for tensor in batch.values():
            trace.hold(tensor, "inputs")
        trace.peaks.clear()
        trainer.compute_loss(model, batch).backward()
        hold_gradients(trace, trained)
        torch.nn.utils.clip_grad_norm_(trained, MAX_NORM, foreach=True)
        optimizer.step()
        optimizer.zero_grad()
    return max(most for most, _ in trace.peaks.values())


def _trainer(task: str, case: Case, model: nn.Module, reference: nn.Module | None) -> Any:
    """A trainer as its `__init__` leaves it, without what it does to data and disks."""
    made = TRAINERS[task].__new__(TRAINERS[task])
    accelerator = SimpleNamespace(
        device=torch.device("cpu"),
        gather=lambda given: given,
        gather_for_metrics=lambda given: given,
        unwrap_model=lambda given: given,
    )
    args = SimpleNamespace(
        gradient_checkpointing_kwargs={"use_reentrant": case.use_reentrant},
        gradient_checkpointing=case.gradient_checkpointing,
        center_rewards_coefficient=None,
        max_length=None,
    )
    said: dict[str, Any] = {
        "model": model,
        "ref_model": reference,
        "accelerator": accelerator,
        "args": args,
        "beta": 0.1,
        "precompute_ref_logps": False,
        "loss_types": ["sigmoid"],
        "loss_weights": [1.0],
        "loss_type": "kto",
        "calculate_KL": True,
        "desirable_weight": 1.0,
        "undesirable_weight": 1.0,
        "ld_alpha": None,
        "f_divergence_type": "reverse_kl",
        "use_weighting": False,
        "aux_loss_enabled": False,
        "_metrics": {"train": defaultdict(list), "eval": defaultdict(list)},
        "_total_train_tokens": 0,
        "_tp_size": 1,
    }
    for name, value in said.items():
        object.__setattr__(made, name, value)
    return made


def _batch(task: str, case: Case) -> dict[str, Tensor]:
    """A batch as the trainer's collator makes it, of which all tokens but the first of each row are answers."""
    shape = case.batch, case.tokens
    ids, ones = torch.randint(0, case.vocabulary, shape), torch.ones(shape, dtype=torch.int64)
    batch = {"input_ids": ids, "attention_mask": ones}
    if task == "reward":
        return batch
    batch["completion_mask"] = ones.clone()
    if task == "kto":
        batch |= {f"KL_{name}": value.clone() for name, value in batch.items()}
        batch["label"] = torch.ones(case.batch, dtype=torch.bool)
    return batch


@contextlib.contextmanager
def _read(trace: Trace) -> Any:
    """Metrics read numbers off tensors, and losses choose rows by values: a fake has none, and half the rows are taken.

    `trace.replaced` has the operations of a step; these come beside them.
    """
    index = trace.replaced[torch.ops.aten.index.Tensor]

    def indexed(x: Tensor, indices: list[Tensor | None]) -> Any:
        mask = indices[0]
        if isinstance(x, FakeTensor) and mask is not None and mask.dtype == torch.bool and x.ndim == mask.ndim:
            return x.new_empty((mask.numel(),))
        return index(x, indices)

    def nonzero(x: Tensor) -> Any:
        return (
            x.new_empty((-(-x.numel() // 2), x.ndim), dtype=torch.int64)
            if isinstance(x, FakeTensor)
            else NotImplemented
        )

    trace.replaced |= {
        torch.ops.aten.index.Tensor: indexed,
        torch.ops.aten.nonzero.default: nonzero,
        torch.ops.aten._local_scalar_dense.default: lambda x: 1 if isinstance(x, FakeTensor) else NotImplemented,
    }
    yield
