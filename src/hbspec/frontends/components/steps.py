"""What a torchtune configuration says of its steps: optimizer, schedule, loss, recomputation, and the GPUs' shares.

Sources are files of torchtune bd2a0fc7 (https://github.com/pytorch/torchtune).
"""

from __future__ import annotations

from hbspec.frontends.components.refused import component
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign
from hbspec.frontends.reading.tasks import put_task

TRAINING, INSTANCE = "hyperparameters", "instance"
OPTIMIZERS = {
    "torch.optim.AdamW": "adamw_torch",
    "torch.optim.SGD": "sgd",
    "torch.optim.Adagrad": "adagrad",
    "torch.optim.RMSprop": "rmsprop",
    "bitsandbytes.optim.AdamW8bit": "adamw_bnb_8bit",
    "bitsandbytes.optim.PagedAdamW": "paged_adamw_32bit",
    "bitsandbytes.optim.PagedAdamW32bit": "paged_adamw_32bit",
    "bitsandbytes.optim.PagedAdamW8bit": "paged_adamw_8bit",
}
"""Names of transformers' by the class that an optimizer is made of."""
SCHEDULE = "get_cosine_schedule_with_warmup"
CHUNKED = "LinearCrossEntropyLoss"
"""The loss of `torchtune/modules/loss` that makes logits a chunk after another."""
WHOLE = ("CrossEntropyLoss", "CEWithChunkedOutputLoss")
"""Losses that get all logits; the second widens them a chunk after another, counted as if all at once."""


def put_optimizer(foreign: Foreign, building: Building) -> None:
    """The optimizer by its name in transformers, and its numbers."""
    given = foreign.inside("optimizer")
    kind, fused, betas = component(given), given.get("fused"), given.get("betas")
    name = OPTIMIZERS.get(kind.text) if kind else None
    if kind and name:
        fused_too = name == "adamw_torch" and fused and fused.flag
        building.put((TRAINING, "optim"), kind, "adamw_torch_fused" if fused_too else name)
    elif kind:
        building.unread(kind, "either", f"makes the optimizer {kind.text}")
    for key, ours in (("lr", "learning_rate"), ("weight_decay", "weight_decay"), ("eps", "adam_epsilon")):
        building.put((TRAINING, ours), given.get(key))
    if betas and isinstance(betas.value, list) and len(betas.value) == 2:
        for number, value in enumerate(betas.value, 1):
            building.put((TRAINING, f"adam_beta{number}"), betas, value)
    building.put((TRAINING, "max_grad_norm"), foreign.get("clip_grad_norm"))


def put_schedule(foreign: Foreign, building: Building) -> None:
    """The learning rate's schedule, without which it stays as it is."""
    given = foreign.inside("lr_scheduler")
    kind, warmup = component(given), given.get("num_warmup_steps")
    if kind and kind.text.endswith(SCHEDULE):
        building.put((TRAINING, "lr_scheduler_type"), kind, "cosine")
        building.put((TRAINING, "warmup_steps"), warmup)
    elif kind is None:
        source = "pytorch/torchtune bd2a0fc7: recipes (without `lr_scheduler`)"
        building.default((TRAINING, "lr_scheduler_type"), "constant", source)


def put_loss(foreign: Foreign, building: Building) -> None:
    """The loss: how logits are made, or DPO's."""
    given = foreign.inside("loss")
    kind = component(given)
    name = kind.text.rpartition(".")[2] if kind else ""
    if kind and name == "DPOLoss":
        put_task(building, kind, "dpo")
        building.put((TRAINING, "beta"), given.get("beta"))
        building.put((TRAINING, "loss_type"), kind, "sigmoid")
    elif kind and name == CHUNKED:
        building.put((TRAINING, "loss"), kind, "chunked")
    elif kind and name in WHOLE:
        building.put((TRAINING, "loss"), kind, "standard")
    elif kind:
        building.unread(kind, "either", f"computes the loss {kind.text}")


def put_recomputation(foreign: Foreign, building: Building) -> None:
    """Checkpointing of every layer, or by `ac_mode` of some; and what of it goes to the host."""
    recomputes, mode, each = (foreign.get(key) for key in ("enable_activation_checkpointing", "ac_mode", "ac_option"))
    building.put((TRAINING, "gradient_checkpointing"), recomputes)
    if mode and mode.acts and not (recomputes and recomputes.flag):
        building.put((TRAINING, "gradient_checkpointing"), mode, True)
        if mode.text != "full" and (each is None or each.number != 1):
            building.unread(mode, "more", "recomputes some of the layers only")
    elif mode and mode.acts:
        building.put((TRAINING, "gradient_checkpointing"), mode, False)  # the two switch each other off
    offloads = foreign.get("enable_activation_offloading")
    if offloads and offloads.flag:
        building.put((TRAINING, "activation_offloading"), offloads, True)


def put_sharing(foreign: Foreign, building: Building) -> None:
    """How GPUs share the work: FSDP 2 by every recipe for several (`training/_distributed.py`, `shard_model`)."""
    inside = foreign.inside("fsdp")
    offload = foreign.get("fsdp_cpu_offload") or inside.get("cpu_offload")
    if offload and offload.flag:
        building.put((INSTANCE, "offload"), offload, "all")
    reshards = foreign.get("fsdp_reshard_after_forward")
    building.put((INSTANCE, "reshard_after_forward"), reshards, reshards and reshards.flag)
    tensor, context = foreign.get("tensor_parallel_dim"), foreign.get("context_parallel_dim")
    if tensor and tensor.number != 1:
        building.put((INSTANCE, "tensor_parallel"), tensor)
    if context and context.number != 1:
        building.unread(context, "less", "splits rows over GPUs")
    copies, shards = foreign.get("data_parallel_replicate_dim"), foreign.get("data_parallel_shard_dim")
    if copies and (copies.number or 1) > 1:
        building.put((INSTANCE, "sharding"), copies, "hybrid")
        building.imprecise(
            copies,
            f"{copies.key} is {copies.text}: each instance is taken to hold the model once",
            "use as many as there are instances",
        )
        building.uncertain(copies.key)
    elif shards and (shards.number or -1) > 0:
        building.unread(shards, "either", "says how many GPUs share the model")
