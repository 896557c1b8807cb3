"""One steady-state training step of a model, traced: optimizer states exist, gradients do not yet."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from oracle.build import build, is_quantised
from oracle.case import Case
from oracle.cuda import cuda_allocations
from oracle.optimizers import make_states, optimizer_of
from oracle.tracer import Trace

PHASES = ("forward", "loss", "backward", "end", "optimizer")
"""The moments of a step. The forward pass up to the head; the head's forward and backward pass; the layers' backward
passes; what follows that of the first layer; clipping and the update."""

FINAL_NORMS = frozenset({"norm", "final_layernorm", "final_layer_norm", "ln_f", "norm_f", "embedding_norm"})
"""What the module is called after which the head begins."""

PREFIXES = {
    "gpt_neox.": "",
    "language_model.": "",
    "text_model.": "",
    "transformer.": "",
    "decoder.": "",
    "h.": "layers.",
    "blocks.": "layers.",
}
"""Beginnings of paths, and what most models have there."""

MAX_NORM = 1.0
"""`transformers.TrainingArguments.max_grad_norm`."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What a step did.

    Attributes:
        static: bytes alive before the step, by kind.
        saved: bytes alive between the forward and the backward pass, beyond those.
        gradients: bytes alive after the backward pass, beyond those.
        trained: parameters that are trained.
        seconds: of building and tracing.
    """

    trace: Trace
    static: dict[str, int]
    saved: int
    gradients: int
    trained: int
    seconds: float


def traced(case: Case, *, real: bool = False) -> Traced:
    """Builds a case and runs one step of it, on fakes or on real tensors."""
    began = time.perf_counter()
    fake = None if real else FakeTensorMode(allow_non_fake_inputs=True)
    model = build(case, fake)
    paths = {id(module): name or "model" for name, module in _short_names(model)}
    trace = Trace(paths)
    hold_weights(trace, model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer_of(case, model)
    with fake or contextlib.nullcontext(), on_cuda(trace, case), trace, trace.following_modules():
        make_states(trace, optimizer, trained)
        rows = [inputs_of(case) for _ in range(case.gradient_accumulation)]
        for tensor in (tensor for row in rows for tensor in row.values()):
            trace.hold(tensor, "inputs")
        for _ in range(min(2, case.gradient_accumulation) - 1):
            _micro_batch(trace, model, case, rows)
            hold_gradients(trace, trained)
        static, before = trace.kinds(), trace.live
        trace.peaks.clear()
        trace.flops.clear()
        after_forward = _micro_batch(trace, model, case, rows)
        hold_gradients(trace, trained)
        gradients = trace.live
        trace.phase = "optimizer"
        torch.nn.utils.clip_grad_norm_(trained, MAX_NORM, foreach=True)
        optimizer.step()
        optimizer.zero_grad()
        trace.phase = "after"
    count = sum(parameter.numel() for parameter in trained)
    return Traced(
        trace, static, after_forward - before, gradients - before, count, round(time.perf_counter() - began, 2)
    )


def traced_evaluation(case: Case) -> int:
    """The most bytes alive in an evaluation's micro-batch of a case, beside the optimizer's states."""
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    model = build(case, fake)
    trace = Trace({id(module): name or "model" for name, module in _short_names(model)})
    hold_weights(trace, model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer_of(case, model)
    model.eval()
    with fake, on_cuda(trace, case), trace, torch.no_grad():
        make_states(trace, optimizer, trained)
        row = inputs_of(case)
        for tensor in row.values():
            trace.hold(tensor, "inputs")
        trace.peaks.clear()
        trace.phase = "evaluation"
        loss_of(model, case, row)
    return trace.peaks["evaluation"][0]


def _short_names(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in model.named_modules():
        short = name.removeprefix("base_model.").removeprefix("model.").removeprefix("model.")
        for prefix, usual in PREFIXES.items():
            short = usual + short.removeprefix(prefix) if short.startswith(prefix) else short
        yield short, module


def hold_weights(trace: Trace, model: nn.Module) -> None:
    for name, parameter in model.named_parameters():
        adapter = "lora_" in name or "modules_to_save" in name
        kind = "adapters" if adapter else "quantised" if is_quantised(parameter) else "weights"
        trace.hold(parameter, kind, name)
        scale = getattr(parameter, "SCB", None)
        if scale is not None:
            trace.hold(scale, "scales", name)
        state = getattr(parameter, "quant_state", None)
        if state is not None:
            scales = [state.absmax, state.code]
            if state.nested:
                scales += [state.offset, state.state2.absmax, state.state2.code]
            for scale in scales:
                trace.hold(scale, "scales", name)
    for name, buffer in model.named_buffers():
        trace.hold(buffer, "buffers", name)


def hold_gradients(trace: Trace, trained: list[nn.Parameter]) -> None:
    for parameter in trained:
        if parameter.grad is not None:
            trace.hold(parameter.grad, "gradients")


def on_cuda(trace: Trace, case: Case) -> contextlib.AbstractContextManager[None]:
    return cuda_allocations(trace, packed=case.packing, scored=case.scored, experts=case.looped_experts)


def inputs_of(case: Case) -> dict[str, Tensor]:
    """A batch as the collator makes it: padded rows, or, packed, one row that says where examples begin."""
    shape, vocabulary = (case.batch, case.tokens), case.vocabulary
    ids, labels = torch.randint(0, vocabulary, shape), torch.randint(0, vocabulary, shape)
    if case.packing:
        labels[:, 0] = -100
        positions = torch.arange(case.tokens).repeat(case.batch)
        return {"input_ids": ids.view(1, -1), "labels": labels.view(1, -1), "position_ids": positions.view(1, -1)}
    mask = torch.ones(shape, dtype=torch.int64)
    if case.padding:
        mask[1::2, -case.padding :] = 0
        labels[1::2, -case.padding :] = -100
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def _micro_batch(trace: Trace, model: nn.Module, case: Case, rows: list[dict[str, Tensor]]) -> int:
    """Forward and backward pass as `Trainer.training_step` runs them; bytes alive in between."""
    trace.phase = "forward"

    def leave(path: str) -> None:
        if path in FINAL_NORMS:
            trace.phase = "loss"

    trace.on_leave = leave
    loss = loss_of(model, case, rows[-1])
    trace.on_leave = None
    alive = trace.live
    (norm,) = FINAL_NORMS & {*trace.left}
    head, first = trace.left[norm], trace.entered["layers.0"]

    def follow(number: int) -> None:
        if number < first:
            trace.phase = "end"
        elif number < head:
            trace.phase = "backward"

    trace.on_node = follow
    loss.backward()
    trace.on_node = None
    return alive


def loss_of(model: nn.Module, case: Case, row: dict[str, Tensor]) -> Tensor:
    """`Trainer.compute_loss`, or TRL's; the outputs are gone when it returns."""
    # a mask of ones is found to be one by its values, and then dropped
    inputs = {name: value for name, value in row.items() if name != "attention_mask" or case.padding}
    items = (row["labels"] != -100).sum()
    if case.loss == "standard":
        loss: Tensor = model(**inputs, num_items_in_batch=items)["loss"]
        return loss
    outputs = model(**inputs, use_cache=False, fused_lm_head=True)
    per_token = -outputs.log_probs
    return per_token.sum() / items.clamp(min=1)
