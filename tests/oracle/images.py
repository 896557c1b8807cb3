"""One step of a wrapper that is shown images, traced: a tower runs beside its language model.

What depends on the values of a grid of patches, which fakes do not have, is computed outside the trace: a few numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import transformers.vision_utils as vision_utils
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import _disable_current_modes

from oracle.build import build
from oracle.case import Case
from oracle.optimizers import make_states, optimizer_of
from oracle.step import MAX_NORM, hold_gradients, hold_weights, inputs_of, on_cuda
from oracle.tracer import Trace

GRIDS = {
    "get_vision_position_ids": (),
    "get_vision_attention_seqlens": (0,),
    "get_vision_window_index": (1,),
    "get_vision_interpolation_indices_and_weights": (),
}
"""Functions of a grid, and which of their results are read as numbers."""


def peaks(case: Case, images: int, side: int) -> tuple[int, int, int]:
    """Bytes alive at most forward, on the way back and in the update, with images of so many patches a side."""
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    model = build(case, fake)
    trace = Trace({})
    hold_weights(trace, model)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer_of(case, model)
    with _grids(case), fake, on_cuda(trace, case), trace:
        make_states(trace, optimizer, trained)
        row = inputs_of(case)
        del row["attention_mask"]
        row |= _shown(case, images, side)
        for tensor in row.values():
            if isinstance(tensor, Tensor):
                trace.hold(tensor, "inputs")
        trace.peaks.clear()
        _micro_batch(trace, model, row)
        hold_gradients(trace, trained)
        trace.phase = "optimizer"
        torch.nn.utils.clip_grad_norm_(trained, MAX_NORM, foreach=True)
        optimizer.step()
    forward, backward, update = (trace.peaks[phase][0] for phase in ("forward", "backward", "optimizer"))
    return forward, backward, update


def _micro_batch(trace: Trace, model: torch.nn.Module, row: dict[str, Any]) -> None:
    """Both passes; as after `Trainer.training_step`, the loss is gone, and with it the embeddings made leaves."""
    trace.phase = "forward"
    loss = model(**row, num_items_in_batch=(row["labels"] != -100).sum())["loss"]
    trace.phase = "backward"
    loss.backward()


def _shown(case: Case, images: int, side: int) -> dict[str, Any]:
    """Pixels as the processor gives them."""
    kind, tower = case.values["model_type"], case.values["vision_config"]
    if not kind.startswith("qwen"):
        pixels = tower.get("image_size", 224)
        return {"pixel_values": torch.empty(images, 3, pixels, pixels)}
    patch_pixels = 16 if kind.startswith("qwen3") else 14
    grid = np.array([[1, side, side]] * images)
    return {"pixel_values": torch.empty(images * side**2, 6 * patch_pixels**2), "image_grid_thw": grid}


@contextlib.contextmanager
def _grids(case: Case) -> Iterator[None]:
    name = case.values["model_type"]
    module: Any = import_module(f"transformers.models.{name}.modeling_{name}")
    with contextlib.ExitStack() as changed:
        for function, read in GRIDS.items():
            if hasattr(module, function):
                changed.enter_context(patch.object(module, function, _outside(getattr(vision_utils, function), read)))
        changed.enter_context(patch.object(module, "torch_compilable_check", lambda *args, **kwargs: None))
        for owner in vars(module).values():
            if isinstance(owner, type) and "compute_3d_position_ids" in vars(owner):
                changed.enter_context(patch.object(owner, "compute_3d_position_ids", _positions))
        yield


def _positions(model: Any, inputs_embeds: Tensor, **others: Any) -> Tensor:
    return torch.zeros(3, *inputs_embeds.shape[:2], dtype=torch.int64)


def _outside(function: Callable[..., Any], read: tuple[int, ...]) -> Callable[..., Any]:
    def run(grid: Any, *args: Any, **kwargs: Any) -> Any:
        with _disable_current_modes():
            found = function(torch.as_tensor(grid), *args, **kwargs)
            if not isinstance(found, tuple):
                return found
            return tuple(one.numpy() if at in read else one for at, one in enumerate(found))

    return run
