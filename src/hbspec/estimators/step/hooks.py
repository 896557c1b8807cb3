"""What FSDP's hooks hold on to."""

from __future__ import annotations

from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.plan.parallelism import Engine


def held_by_hooks(job: Job) -> Form:
    """What FSDP's hooks hold of each frozen layer that is done, beside its input, until the backward pass is over.

    Measured with transformers 4's reentrant checkpointing (IBM fms-acceleration, a100_80gb.csv): (L - 2) 2 h a token
    more than on one GPU, for LoRA, QLoRA and GPTQ alike, and not for full fine-tuning. The hooks on the inputs of
    frozen layers (torch, `_register_post_backward_reshard_only_hook`) are where tensors are held that long; that it is
    they is inferred.
    """
    training = job.training
    if not (job.sharded and job.way.engine is Engine.FSDP and training.adapters and training.use_reentrant):
        return Form()
    return Form(per_token=job.precision.stream * job.architecture.hidden_size)
