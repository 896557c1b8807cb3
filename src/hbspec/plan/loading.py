"""Where a quantised model lies while it is loaded, before ranks shard it."""

from __future__ import annotations

from hbspec.plan.epochs import QUANTIZED_LOADED_WHOLE, QUANTIZED_MOVED_OFF
from hbspec.plan.parallelism import Engine
from hbspec.plan.training import Training


def loads_whole(training: Training, engine: Engine) -> bool | None:
    """Whether every GPU holds the whole quantised model before FSDP or ZeRO-3 shards it.

    Between the two epochs weights leave the GPU one by one: under ZeRO-3 always, under FSDP with RAM-efficient loading,
    which a spec does not say. That is None.
    """
    if training.quantization is None:
        return False
    if training.has(QUANTIZED_LOADED_WHOLE) or not training.has(QUANTIZED_MOVED_OFF):
        return True
    return None if engine is Engine.FSDP else False
