"""What FSDP does in a job: its version, what it frees, and what the libraries' versions make of 4-bit weights."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.frameworks import framework_defaults
from hbspec.plan.assumptions import Choices
from hbspec.plan.epochs import (
    FSDP2_BY_DEFAULT,
    FSDP2_DEFERS,
    UINT8_LEFT_WHOLE,
)
from hbspec.plan.loading import loads_whole
from hbspec.plan.parallelism import PARALLELISMS, Engine
from hbspec.plan.shipped_script import FSDP_VERSION, TEMPLATE
from hbspec.plan.training import Training
from hbspec.spec import Spec

FSDP = "fsdp"
ACCELERATE = "accelerate's FSDP plugin"
RAM_EFFICIENT = "FSDP_CPU_RAM_EFFICIENT_LOADING"
"""The variable by which transformers and accelerate are told to load on the first rank's host only."""
TRUE = ("1", "true", "t", "yes", "y", "on")
"""What accelerate takes for true (`utils/environment.py`, `str_to_bool`)."""


class Fsdp(NamedTuple):
    """FSDP as this job runs it.

    Attributes:
        version: 1 (`FullyShardedDataParallel`) or 2 (`fully_shard`).
        reshards: whether gathered weights are freed between the forward and the backward pass.
        defers: whether gradients of every micro-batch but an update's last stay unsharded on the GPU.
        leaves_whole: whether quantised weights are not sharded at all.
        loads_whole: whether every GPU holds the whole model before it is sharded; None where that depends on
            RAM-efficient loading of quantised weights, which a spec says only in `sagemaker.environment`. False where
            nothing is sharded, and for weights that are not quantised unless the spec says otherwise.
    """

    version: int
    reshards: bool
    defers: bool
    leaves_whole: bool
    loads_whole: bool | None


def fsdp(spec: Spec, training: Training, choices: Choices) -> Fsdp | None:
    """FSDP of a spec, its defaults noted as assumptions; None under any other parallelism."""
    if PARALLELISMS[spec.instance.parallelism].engine is not Engine.FSDP:
        return None
    version = choices.take(spec.instance.fsdp_version, ("instance", "fsdp_version"), *_usual_version(spec, training))
    reshards = choices.take(
        spec.instance.reshard_after_forward, ("instance", "reshard_after_forward"), True, ACCELERATE
    )
    return Fsdp(
        version=version,
        reshards=reshards,
        defers=_defers(training, version),
        leaves_whole=_leaves_whole(training, version),
        loads_whole=_loads_whole(spec, training),
    )


def _loads_whole(spec: Spec, training: Training) -> bool | None:
    if spec.instance.sharding == "none":
        return False
    if spec.instance.loads_whole is not None:
        return spec.instance.loads_whole
    found = loads_whole(training, Engine.FSDP)
    said = spec.sagemaker.environment.get(RAM_EFFICIENT, "").lower() if spec.sagemaker else ""
    return said not in TRUE if found is None and said else found


def _usual_version(spec: Spec, training: Training) -> tuple[int, str]:
    """The default, and who sets it."""
    if spec.shipped:
        return FSDP_VERSION, TEMPLATE
    if training.framework and "instance.fsdp_version" in (theirs := framework_defaults(training.framework, None, FSDP)):
        return theirs["instance.fsdp_version"]
    if training.own_loop:
        return 1, ACCELERATE
    return (2 if training.has(FSDP2_BY_DEFAULT) else 1), "transformers.TrainingArguments"


def _defers(training: Training, version: int) -> bool:
    """Whether `no_sync` holds gradients back: FSDP1 always did; for FSDP2 accelerate's did nothing at first."""
    accumulates = training.gradient_accumulation > 1 and not training.sync_each_batch
    return accumulates and (version == 1 or training.has(FSDP2_DEFERS))


def _leaves_whole(training: Training, version: int) -> bool:
    """Whether accelerate leaves 4-bit weights that are stored as integers out of sharding; FSDP1 refuses them."""
    four_bit = training.quantization in ("nf4", "fp4")
    return four_bit and training.quant_storage == "uint8" and version == 2 and training.has(UINT8_LEFT_WHOLE)
