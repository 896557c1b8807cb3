"""Whether a job fits with a process on every GPU, which rules on idle GPUs ask before they advise one."""

from __future__ import annotations

from dataclasses import replace

from hbspec.analysis.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.verdict import Verdict
from hbspec.spec import Spec

ON_EVERY_GPU = ("ddp", "fsdp")


def that_hold_it(analysis: Analysis) -> tuple[str, ...]:
    """Of `ddp` and `fsdp` those under which the job surely fits on its hardware; both where that is not known.

    Four-bit weights are stored as FSDP needs them (HB123).
    """
    try:
        if analysis.memory.verdict is Verdict.UNKNOWN:
            return ON_EVERY_GPU
        return tuple(name for name in ON_EVERY_GPU if _under(analysis, name).memory.verdict is Verdict.FITS)
    except NotKnownError:
        return ON_EVERY_GPU


def _under(analysis: Analysis, parallelism: str) -> Analysis:
    spec: Spec = analysis.spec
    instance = spec.instance.model_copy(update={"parallelism": parallelism, "sharding": None, "offload": None})
    given = spec.hyperparameters
    if parallelism == "fsdp" and analysis.plan.training.quantization:
        given = given.model_copy(update={"bnb_4bit_quant_storage": analysis.plan.training.compute_dtype})
    return replace(analysis, spec=spec.model_copy(update={"instance": instance, "hyperparameters": given}))
