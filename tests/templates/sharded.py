"""The shipped script under FSDP on two CPU processes, told to a file.

accelerate takes FSDP for granted only where there are several GPUs: here its state is told that there are, and the
rehearsal keeps PARALLELISM. What shards, gathers, reduces and trains is torch, accelerate, transformers and TRL.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

TOLD: dict[str, Any] = {"micro_batches": []}


def main(templates: str, told: str, arguments: list[str]) -> int:
    """Runs the script; rank 0 writes what it saw."""
    sys.path.insert(0, templates)
    shard_on_cpus()
    watch_sharding()
    watch_micro_batches()
    import train

    code: int = train.main(arguments)
    if os.environ["RANK"] == "0":
        Path(told).write_text(json.dumps(TOLD))
    return code


def shard_on_cpus() -> None:
    """Makes accelerate shard where it has no GPU."""
    import tiny
    from accelerate.state import AcceleratorState, PartialState
    from accelerate.utils import DistributedType

    tiny.OVERRIDES = tuple(override for override in tiny.OVERRIDES if override[0] != "PARALLELISM")
    begin = AcceleratorState.__init__

    def sharded(self: Any, *args: Any, fsdp_plugin: Any = None, **named: Any) -> None:
        begin(self, *args, fsdp_plugin=fsdp_plugin, **named)
        if fsdp_plugin is not None:
            self.fsdp_plugin, self.distributed_type = fsdp_plugin, DistributedType.FSDP
            PartialState._shared_state["distributed_type"] = DistributedType.FSDP

    AcceleratorState.__init__ = sharded


def watch_sharding() -> None:
    """Bytes of all tensors before, while and after the model is sharded."""
    import accelerate.accelerator
    import torch.distributed.fsdp

    prepare, shard = accelerate.accelerator.fsdp2_prepare_model, torch.distributed.fsdp.fully_shard
    peaks: list[int] = []

    def sharded(*args: Any, **named: Any) -> Any:
        done = shard(*args, **named)
        peaks.append(alive())
        return done

    def prepared(accelerator: Any, model: Any) -> Any:
        TOLD["parameters"] = dict(sizes(model))
        TOLD["before"] = alive()
        torch.distributed.fsdp.fully_shard = sharded
        try:
            done = prepare(accelerator, model)
        finally:
            torch.distributed.fsdp.fully_shard = shard
        TOLD.update(peak=max(peaks), after=alive(), sharded=dict(sizes(done)))
        return done

    accelerate.accelerator.fsdp2_prepare_model = prepared


def sizes(model: Any) -> Counter[str]:
    """Bytes of parameters on this rank by class: DTensor, Params4bit, Parameter."""
    found: Counter[str] = Counter()
    for parameter in model.parameters():
        here = parameter.to_local() if hasattr(parameter, "to_local") else parameter
        found[type(parameter).__name__] += here.numel() * here.element_size()
    return found


def alive() -> int:
    """Bytes of every tensor's storage in this process."""
    import torch

    gc.collect()
    storages = {}
    for thing in gc.get_objects():
        if type(thing).__name__ in ("Tensor", "Parameter", "Params4bit", "DTensor"):
            local = thing._local_tensor if type(thing).__name__ == "DTensor" else thing
            if isinstance(local, torch.Tensor) and local.device.type == "cpu":
                storages[local.untyped_storage().data_ptr()] = local.untyped_storage().nbytes()
    return sum(storages.values())


def watch_micro_batches() -> None:
    """Gradients after each micro-batch, and weights that are gathered at its loss."""
    import trainers

    step, loss = trainers.of("sft").training_step, trainers.of("sft").compute_loss

    def computed(self: Any, *args: Any, **named: Any) -> Any:
        done = loss(self, *args, **named)
        states = [fsdp.sharded_state.name for fsdp in managed(self.model_wrapped)]
        TOLD["gathered"] = states.count("UNSHARDED") / len(states)
        return done

    def stepped(self: Any, *args: Any, **named: Any) -> Any:
        done = step(self, *args, **named)
        found: Counter[str] = Counter()
        for fsdp in managed(self.model_wrapped):
            whole, cut = getattr(fsdp, "_unsharded_param", None), fsdp.sharded_param
            for kind, grad in (("unsharded", whole.grad if whole is not None else None), ("sharded", cut.grad)):
                found[kind] += 0 if grad is None else getattr(grad, "_local_tensor", grad).numel()
            found["trained"] += cut._local_tensor.numel() if cut.requires_grad else 0
        TOLD["micro_batches"].append(dict(found))
        return done

    trainers.of("sft").training_step, trainers.of("sft").compute_loss = stepped, computed


def managed(model: Any) -> list[Any]:
    """Every parameter as FSDP2 manages it."""
    from torch.distributed.fsdp import FSDPModule

    modules = [module for module in model.modules() if isinstance(module, FSDPModule)]
    groups = {id(group): group for module in modules for group in module._get_fsdp_state()._fsdp_param_groups}
    return [fsdp for group in groups.values() for fsdp in group.fsdp_params]


if __name__ == "__main__":
    code = main(sys.argv[1], sys.argv[2], sys.argv[3:])
    sys.stdout.flush()
    os._exit(code)
