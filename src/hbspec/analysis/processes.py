"""Whether a job fits with one process per GPU, which rules on idle GPUs check before they recommend it."""

from __future__ import annotations

from dataclasses import replace

from hbspec.analysis.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.verdict import Verdict
from hbspec.plan.parallelism import ADVISED, PARALLELISMS
from hbspec.spec import Spec


def that_hold_it(analysis: Analysis) -> tuple[str, ...]:
    """The values of `ADVISED` under which the job is certain to fit; both where its memory is not known.

    Under FSDP, 4-bit weights are taken to be stored in the compute dtype, as FSDP needs them (HB123).
    """
    try:
        if analysis.memory_verdict is Verdict.UNKNOWN:
            return ADVISED
        return tuple(name for name in ADVISED if _under(analysis, name).memory_verdict is Verdict.FITS)
    except NotKnownError:
        return ADVISED


def _under(analysis: Analysis, parallelism: str) -> Analysis:
    spec: Spec = analysis.spec
    instance = spec.instance.model_copy(update={"parallelism": parallelism, "sharding": None, "offload": None})
    given = spec.hyperparameters
    if PARALLELISMS[parallelism].shards_four_bits and analysis.plan.training.quantization:
        given = given.model_copy(update={"bnb_4bit_quant_storage": analysis.plan.training.compute_dtype})
    return replace(analysis, spec=spec.model_copy(update={"instance": instance, "hyperparameters": given}))
