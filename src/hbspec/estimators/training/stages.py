"""What each GPU of a host computes on: all layers, or the share of them that `device_map="auto"` places there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hbspec.estimators.step.job import Job
from hbspec.estimators.step.placement import Stage, spread
from hbspec.estimators.weights import EMBEDDING, HEAD, QUANTIZED_TOWER, TOWER
from hbspec.plan import Hardware


def stages_of(job: Job, hardware: Hardware) -> tuple[Stage | None, ...]:
    """What each GPU of a host computes on; None where no process uses it."""
    gpus = hardware.gpus_per_instance
    if job.way.splits_layers:
        return pipeline_stages(job, gpus)
    used = gpus if job.way.distributed else 1
    return (all_layers(job),) * used + (None,) * (gpus - used)


def kinds(stages: Iterable[Stage | None]) -> Mapping[object, Stage]:
    """One stage of each kind."""
    return {stage.kind: stage for stage in stages if stage}


def all_layers(job: Job) -> Stage:
    """What a GPU computes on that holds the whole model."""
    return Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)


def pipeline_stages(job: Job, gpus: int) -> tuple[Stage, ...]:
    """The placement of layers by `device_map="auto"`, from their sizes as loaded (before k-bit preparation).

    Left out: a tower may lie apart from the embedding, on which it is placed here.
    """
    weights = job.weights
    halved = 2 if job.training.quantization and job.precision.stream == 4 else 1
    layers = job.architecture.num_hidden_layers
    scales = weights["quantization_scales"]
    kept = weights["experts"] + weights["norms_and_biases"]
    beside, packed = weights.get(TOWER, 0), weights.get(QUANTIZED_TOWER, 0)
    body = sum(weights.values()) - weights[EMBEDDING] - weights[HEAD] - scales - kept + kept // halved - beside - packed
    return spread(
        layers,
        body / layers,
        (weights[EMBEDDING] + beside) / halved + packed,
        weights[HEAD] / halved,
        gpus,
        quantized=job.training.quantization is not None,
    )
