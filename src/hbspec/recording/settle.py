"""The first forward pass of a model, which may change it: the passes behind it are those of training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from hbspec.recording.build import SHORT, Built
from hbspec.recording.program import RecordingError


def settled(built: Built, fake: FakeTensorMode) -> int:
    """Bytes by which a first forward pass changes what modules hold, weights aside.

    Raises:
        RecordingError: the pass switches something that decides what later passes run.
    """
    before, buffers = dict(_switches(built.model)), _bytes(built.model.buffers())
    try:
        with fake, torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            built.model(input_ids=torch.zeros(1, SHORT, dtype=torch.int64), use_cache=False)
    except Exception:
        return 0  # the passes that are recorded say why, each for its dtypes
    for (name, key), value in _switches(built.model):
        old = before.get((name, key), value)
        if old != value:
            raise RecordingError(
                f"{name or 'the model'} sets {key} from {old} to {value} when it is given a short row, so that what it "
                "runs depends on the rows before"
            )
    return _bytes(built.model.buffers()) - buffers + _bytes(_plain_tensors(built.model))


def _bytes(tensors: Iterator[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _switches(model: nn.Module) -> Iterator[tuple[tuple[str, str], Any]]:
    """Every plain attribute that a branch may ask for."""
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, bool | int | str):
                yield (name, key), value


def _plain_tensors(model: nn.Module) -> Iterator[Tensor]:
    """Tensors on the device that are attributes of modules and nothing else, each once."""
    known = {one.untyped_storage()._cdata for one in (*model.parameters(), *model.buffers())}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, FakeTensor) and value.untyped_storage()._cdata not in known:
                known.add(value.untyped_storage()._cdata)
                yield value
