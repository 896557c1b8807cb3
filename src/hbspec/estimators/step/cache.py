"""Keys and values that a training step caches without need."""

from __future__ import annotations

from hbspec.catalog.families import WRAPPERS
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.program import mask_of
from hbspec.estimators.step.placement import Stage


def cached_bytes(job: Job, stage: Stage, tokens: int) -> int:
    """Bytes of keys and values that a wrapper's language model caches from the forward pass to the loss.

    transformers' own Trainer turns the cache off in the wrapper's config only (5.23.0, `trainer.py`,
    `self.model.config.use_cache`), which `text_config` does not follow; TRL asks for none in every call, and layers
    that are computed again take none (`modeling_layers.py`, `GradientCheckpointingLayer`). They count where attention
    keeps copies for every query head instead of them. Left out: replayed allocators, evaluation.

    Args:
        job: the job.
        stage: the layers that this GPU computes.
        tokens: a row's length.
    """
    architecture, training = job.architecture, job.training
    if not architecture.wrapper or WRAPPERS[architecture.wrapper].own_cache:
        return 0
    if training.trainer == "trl" or training.gradient_checkpointing:
        return 0
    masked = (kind for kind in architecture.layer_types[stage.first : stage.last] if mask_of(job.program, kind))
    heads = [architecture.heads(kind) for kind in masked]
    width = sum(one.key_value_size for one in heads if one.key_values not in (1, one.number))
    return 2 * width * job.precision.stream * training.micro_batch * tokens
