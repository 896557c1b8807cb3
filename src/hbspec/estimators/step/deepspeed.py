"""DeepSpeed's buffers on one GPU: where gradients are reduced and kept, what an update takes, what ZeRO-3 holds whole.

Source: DeepSpeed 0.19.8, `runtime/zero/stage_1_and_2.py` and `stage3.py`, run on two CPU ranks for buffers and dtypes.
With N trained parameters, n = N / ranks of them on this rank, and m, a bytes an element of the model and of accumulated
gradients (a = m unless `data_types.grad_accum_dtype` says otherwise):

- Stages 1 and 2 have a reduce bucket from the first gradient of a backward pass to its end (`setup_buckets`,
  `_release_ipg_buffers`), whatever is trained: `reduce_bucket_size` elements of m bytes, two of them with
  `overlap_comm`. Without `contiguous_gradients`, gradients wait where they are, as many as the bucket would hold.
- Reducing flattens a bucket into a copy: in stages 1 and 2 one that lies across the shares of two ranks
  (`allreduce_bucket`), in stage 3 any of several tensors (`reduce_scatter_coalesced`).
- Stage 2 copies its share of the gradients into n elements of m bytes at the first reduction (`grads_in_partition`),
  and with several micro-batches holds the sum of the earlier ones beside it (`all_grad_tensors`); with a = 4 > m it
  adds to one buffer of a n (`_build_compact_grad_partition_buffer`).
- Stage 1 keeps whole gradients, and copies its share before the update.
- Stage 3 has one bucket, never two, in the dtype of the communication, and a n bytes of gradients
  (`grad_partitions_flat_buffer`); both from its start to its end.
- An update takes the share of the gradients in fp32, of a sub-group in stage 3, and the optimizer's temporaries on top
  (`step`, `_prepare_sub_group`).
- Offload (`offload_optimizer`) moves the share of the gradients to the host; stages 1 and 2 keep a buffer as large as
  the largest parameter.

Left out: parameters that lie across the border of two ranks, which both copy; padding; the norm's temporaries.
`allgather_bucket_size` and `round_robin_gradients` allocate nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.parameters import weights
from hbspec.estimators.step.job import Job
from hbspec.plan.deepspeed import DeepSpeed, accumulates_in
from hbspec.plan.epochs import FUSED_EXPERTS

Groups = Sequence[tuple[int, int]]
"""What is trained: numbers of parameters, and bytes of an element."""


class Reduction(NamedTuple):
    """Bytes on one GPU, by name where there are several.

    Attributes:
        always: from DeepSpeed's start to its end.
        backward: beside that, during a backward pass.
        accumulated: the gradients of earlier micro-batches, which are there while another one runs.
        at_once: whether all gradients of a backward pass have a place from its start.
        ending: gradients that are there when the update begins.
        updating: beside those, at the fullest moment of the update.
    """

    always: Mapping[str, int]
    backward: Mapping[str, int]
    accumulated: int
    at_once: bool
    ending: int
    updating: int


def reduction(job: Job, settings: DeepSpeed, groups: Groups) -> Reduction:
    """Where gradients are reduced, kept and applied."""
    if job.way.shards_weights:
        return _stage3(job, settings, groups)
    model = groups[0][1]
    offloaded = job.offload != "none"
    whole, mine = _bytes(groups), _bytes(_share(groups, job.shards.optimizer))
    narrow = accumulates_in(settings, model)
    added = mine * narrow // model
    several = job.training.gradient_accumulation > 1
    buffer = {"offload_buffer": largest_parameter(job) * model} if offloaded else {}
    compact = narrow == FLOAT32 > model
    if job.way.shards_gradients:
        kept = added if compact else 0 if offloaded else mine
        earlier = added if several and (compact or not offloaded) else 0
        reducing = _reducing(settings, model, groups)
        backward = {**reducing, "gradients": 0 if compact and several else kept}
        ending, updating = _applied(job, groups, kept, added, compact=compact)
        return Reduction(buffer, backward, earlier, at_once=True, ending=ending, updating=updating)
    reducing = _reducing(settings, model, groups)
    kept = added if compact else mine
    ending, updating = _applied(job, groups, kept, added, compact=compact)
    end = whole + sum(reducing.values()) + (0 if offloaded else kept)
    earlier = whole if several else 0
    return Reduction(buffer, reducing, earlier, at_once=False, ending=ending, updating=max(updating, end - ending))


def _stage3(job: Job, settings: DeepSpeed, groups: Groups) -> Reduction:
    model, ranks = groups[0][1], job.shards.gradients
    narrow = accumulates_in(settings, model)
    arrived = _bytes(_share(groups, ranks)) * narrow // model
    sent = settings.communication or model
    waiting = min(settings.reduce_bucket, sum(count for count, _ in groups))
    always = {"gradient_buckets": settings.reduce_bucket * sent if settings.contiguous else 0}
    backward = {"reduction_copy": waiting * sent, "gradient_buckets": 0 if settings.contiguous else waiting * model}
    if job.offload != "none":
        return Reduction(always, backward, 0, at_once=True, ending=0, updating=0)
    # a sub-group is full with the parameter that exceeds its size (`_create_fp16_sub_groups`)
    largest = settings.sub_group + largest_parameter(job) // ranks
    updated = [(min(count, largest), element) for count, element in _share(groups, ranks)]
    wide = FLOAT32 * sum(count for count, _ in updated)
    flat = 0 if narrow == FLOAT32 else _bytes(updated) * narrow // model
    updating = wide + max(flat, _temporary(job, updated))
    return Reduction(always, backward, arrived, at_once=True, ending=arrived, updating=updating)


def _applied(job: Job, groups: Groups, kept: int, added: int, *, compact: bool) -> tuple[int, int]:
    """Gradients when an update of stage 1 or 2 begins, and what is beside them at its fullest moment.

    They are flattened and widened; then only the wide ones are left, with the optimizer's temporaries.
    """
    if job.offload != "none":
        return 0, 0
    mine = _share(groups, job.shards.optimizer)
    if compact:
        return kept, _temporary(job, mine)
    wide = FLOAT32 * sum(count for count, _ in mine)
    return kept, max(added + (wide if added != wide else 0), wide + _temporary(job, mine) - kept)


def masters(job: Job, element: int, updated: int) -> int:
    """Bytes of DeepSpeed's own fp32 copies of `updated` parameters of `element` bytes.

    Stages 1 and 2 always copy; stage 3 trains fp32 parameters in place.
    """
    return 0 if job.way.shards_weights and element == FLOAT32 else FLOAT32 * updated


def largest_parameter(job: Job) -> int:
    """Elements of the largest tensor that is trained: of all weights, or of one adapter."""
    training, architecture = job.training, job.architecture
    lists = not training.has(FUSED_EXPERTS)
    sizes = [one.parameters // (one.count * (one.copies if lists else 1)) for one in weights(architecture)]
    if not training.adapters:
        return max(sizes)
    side = max(max(one.rows, one.columns) for one in weights(architecture))
    return max(training.lora_r * side, max(sizes) if job.whole else 0)


def _reducing(settings: DeepSpeed, element: int, groups: Groups) -> dict[str, int]:
    """Buckets and the copy of stages 1 and 2, for gradients of so many bytes an element."""
    waiting = min(settings.reduce_bucket, sum(count for count, _ in groups))
    buckets = settings.reduce_bucket * (2 if settings.overlap else 1) if settings.contiguous else waiting
    sent = settings.communication or element
    copies = element if sent == element else element + sent  # flattened, and then converted (`allreduce_bucket`)
    return {"gradient_buckets": buckets * element, "reduction_copy": waiting * copies}


def _temporary(job: Job, groups: Groups) -> int:
    return sum(job.optimizer.temporary_bytes(count, FLOAT32) for count, _ in groups)


def _share(groups: Groups, ranks: int) -> Groups:
    return [(-(-count // ranks), element) for count, element in groups]


def _bytes(groups: Groups) -> int:
    return sum(count * element for count, element in groups)
