"""What lies on one GPU while the model is loaded, and while ranks shard it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hbspec.catalog.dtypes import BYTES
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.states import QUANTIZED, SCALES, States, cut_weight, whole_weights
from hbspec.estimators.weights import QUANTIZED_TOWER, largest_experts, largest_linear


def loaded(job: Job, stage: Stage, states: States, *, whole: bool) -> Iterator[Mapping[str, int]]:
    """Bytes by name at each moment of loading that can be the largest.

    Under FSDP and ZeRO-3, quantised weights may all be on every GPU before they are sharded (`whole`; see
    `hbspec.plan.loading.loads_whole`), and others where a framework moves the model there, in the dtype of the products
    in which it was loaded (axolotl 0.19.0, `loaders/model.py`, `_apply_post_lora_load_setup`). Under FSDP2 they are
    still there when the last shard is made: accelerate keeps the model's state dict until then (1.15.0,
    `utils/fsdp_utils.py`, `fsdp2_prepare_model`), and axolotl its own (`monkeypatch/accelerate/fsdp2.py`). FSDP1 frees
    layer after layer, beside a flat copy of one; ZeRO-3 frees parameter after parameter (DeepSpeed 0.19.8,
    `runtime/zero/partition_parameters.py`, `_partition_param`). Elsewhere the weights are loaded where they stay,
    beside one tensor at a time.

    Left out: what the loader reads ahead into other processes' memory, buffers that are not weights.

    Args:
        job: the job.
        stage: what this GPU computes on.
        states: the job's states on it.
        whole: whether the whole model is on this GPU before it is sharded.
    """
    if not whole:
        yield {**states.weights, "loading": _largest_tensor(job, stage)}
        return
    model = _before_sharding(job, stage)
    yield {**model, "loading": _largest_tensor(job, stage)}
    yield {**model, "adapters": states.whole_adapters, "shards": _shards(job, stage, model)}


def _shards(job: Job, stage: Stage, model: Mapping[str, int]) -> int:
    """What sharding has made beside the whole model; on the host where weights are offloaded."""
    if job.deepspeed is not None:
        return 0
    moved = {term: size for term, size in model.items() if term != SCALES}
    if job.leaves_quantized_whole:
        moved = {term: size for term, size in moved.items() if term not in (QUANTIZED, QUANTIZED_TOWER)}
    if job.fsdp and job.fsdp.version == 1:
        return sum(moved.values()) // max(1, stage.layers)
    return sum(cut_weight(job, term, size) for term, size in moved.items())


def _before_sharding(job: Job, stage: Stage) -> dict[str, int]:
    """The whole model as it is loaded: what FSDP widens it widens afterwards."""
    model = whole_weights(job, stage)
    if job.training.quantization:
        return model
    return {term: size * job.precision.stream // BYTES[job.training.weights_dtype] for term, size in model.items()}


def _largest_tensor(job: Job, stage: Stage) -> int:
    """The largest tensor in 16 bits: before it is quantised, or while k-bit preparation makes fp32 of it."""
    if not job.training.quantization:
        return 0
    embedding = job.architecture.vocab_size * job.architecture.hidden_size if stage.embedding or stage.head else 0
    fused = largest_experts(job.architecture) if stage.layers and job.training.quantize_experts else 0
    return 2 * max(largest_linear(job.architecture) if stage.layers else 0, embedding, fused)
