"""The weights that a reference adds to a GPU: those of a second model, or a copy of the adapters.

Source: TRL 1.16.0, `dpo_trainer.py`, `__init__`, `prepare_deepspeed` and `prepare_fsdp`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hbspec.catalog.dtypes import BYTES, FLOAT32
from hbspec.estimators.step.job import Job
from hbspec.plan.objective import MODEL

REFERENCE = "reference_weights"
"""The term of these weights."""


def reference_weights(job: Job, whole: Mapping[str, int], groups: Sequence[tuple[int, int]]) -> dict[str, int]:
    """Bytes of a rank's part, cut as the first model is; nothing where the reference adds none.

    Args:
        job: the job.
        whole: bytes of the stage's weights before they are cut, by term.
        groups: numbers that are trained on the stage and bytes of each: adapters, then modules that are trained whole.
    """
    objective = job.training.objective
    if objective.copies:
        return {REFERENCE: _copied(job, groups)}
    if objective.reference != MODEL:
        return {}
    stored, size = BYTES[job.training.weights_dtype], sum(whole.values())
    if objective.reference_dtype:
        size = -(-size * narrowed(job, BYTES[objective.reference_dtype]) // stored)
    return {REFERENCE: -(-size // job.shards.weights)}


def _copied(job: Job, groups: Sequence[tuple[int, int]]) -> int:
    """Bytes of a copy of the adapters in float32, as peft makes it, which no cast of TRL's reaches.

    Modules that are saved whole keep their dtype (peft 0.20, `PeftModel.add_adapter`, `autocast_adapter_dtype`).
    """
    (adapters, _), *saved = groups
    numbers = [(adapters, narrowed(job, FLOAT32)), *saved]
    return sum(-(-count // job.shards.weights) * element for count, element in numbers)


def narrowed(job: Job, element: int) -> int:
    """Bytes of a number of that many: DeepSpeed trains a copy of its own, and holds the module in the compute dtype."""
    return min(element, job.precision.compute) if job.deepspeed is not None and job.training.autocast else element
