"""What DeepSpeed offloads to one host, buffer by buffer.

DeepSpeed 0.19.8, `runtime/zero/stage_1_and_2.py` and `stage3.py`, for every trained parameter of a rank:

- `DeepSpeedCPUAdam` in place of AdamW (accelerate 1.15.0, `map_pytorch_optim_to_deepspeed`): the fp32 copy, 4 bytes,
  and two fp32 moments, 8. Its gradient in fp32, 4.
- Stage 3 adds the gradients as they arrive, in the dtype of the accumulation (`grad_partitions_flat_buffer`); stages 1
  and 2 the updated 16-bit copy (`param_buffer_of_bit16_for_cpu_offload_groups`), with several micro-batches the
  gradients of the earlier ones (`accumulated_grads_in_cpu`), and once a buffer as large as the largest parameter.
- Offloaded weights (`offload_param`, stage 3): the bytes in which they are stored, 2 a parameter in 16 bits. Scales of
  quantised weights are not parameters, and stay on the GPU.

With `pin_memory`, which is the default, all but the moments (in stage 3 but the fp32 copy too) are page-locked, and
torch rounds a page-locked block up to a power of two (`aten/src/ATen/core/CachingHostAllocator.h`): at most twice the
bytes. How much of that is taken depends on the block and on the version of torch, so that it is the high end.
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.estimators.step.deepspeed import largest_parameter
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.states import SCALES
from hbspec.plan import Plan
from hbspec.plan.deepspeed import accumulates_in
from hbspec.units import Interval

MASTER, MOMENTS, GRADIENT = 4, 8, 4
"""Bytes a trained parameter: fp32 copy, two fp32 moments, fp32 gradient."""


def offloaded_by_deepspeed(plan: Plan, hosts: int) -> Mapping[str, Interval]:
    """Bytes offloaded to one of `hosts` hosts, by name: its share of the optimizer states, and of the weights.

    Raises:
        NotKnownError: what is trained or the hardware is not known, or a setting of DeepSpeed is not counted.
    """
    job, settings = job_of(plan), plan.require("deepspeed")
    model = job.precision.compute
    narrow = accumulates_in(settings, model)
    if job.way.shards_weights:
        pageable, locked, once = MASTER + MOMENTS, GRADIENT + narrow, 0
    else:
        several = narrow if job.training.gradient_accumulation > 1 else 0
        pageable, locked = MOMENTS, MASTER + GRADIENT + model + several
        once = largest_parameter(job) * model * plan.require("hardware").gpus_per_instance
    trained = job.trainable / hosts
    fixed, rounded = pageable * trained, locked * trained + once
    most = fixed + rounded * (2 if settings.pinned else 1)
    terms = {"offloaded_optimizer": Interval(fixed + rounded, fixed + rounded, most)}
    if plan.offload == "all":
        stored = sum(size for term, size in job.weights.items() if term != SCALES) / hosts
        terms["offloaded_weights"] = Interval(stored, stored, stored * (2 if settings.pinned else 1))
    return terms
