"""What trains, but in a way that is not counted: kernels and layers of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.catalog import Architecture
from hbspec.catalog.dtypes import BYTES, FLOAT32
from hbspec.catalog.latent_attention import LatentAttention
from hbspec.diagnostics import Missing, NotKnownError
from hbspec.estimators.step.placement import Shards
from hbspec.plan import Training
from hbspec.plan.epochs import release
from hbspec.plan.parallelism import Engine, Parallelism

if TYPE_CHECKING:
    from hbspec.catalog.recorded import Recording

WIDEST_FLASH = 256
"""Widest heads that FlashAttention-2 computes (flash-attn 2.8, `csrc/flash_attn/flash_api.cpp`)."""

LITGPT = frozenset({"llama", "mistral", "qwen2"})
"""Families whose layers LitGPT's own are counted for."""

LIGER = frozenset({"gemma2", "gemma3_text", "gpt_oss", "llama", "llama4_text", "mistral", "mixtral", "phi3"})
LIGER |= {"qwen2", "qwen3", "qwen3_moe"}
"""Families whose layers with Liger's kernels are counted."""


SEEN = frozenset({"llava", "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe"})
"""Wrappers whose towers were compared with a trace that shows them images."""


def refuse_uncounted(
    architecture: Architecture,
    training: Training,
    cut: Shards,
    tensor_parallel: int = 1,
    way: Parallelism | None = None,
    unreached: str = "",
) -> None:
    """Refuse kernels of a library's own, or a way to share layers, for a family that they are not counted for.

    Args:
        architecture: the model.
        training: what is trained, and how.
        cut: into how many parts weights, gradients and states are cut over ranks.
        tensor_parallel: GPUs that share each layer.
        way: how the GPUs share the job.
        unreached: a module that is trained and that no gradient reaches; "" where there is none.

    Raises:
        NotKnownError: with what is not counted.
    """
    if training.images is not None:
        _refuse_images(architecture, training, cut, tensor_parallel)
    if architecture.recorded is not None:
        _refuse_recorded(architecture.recorded, training, tensor_parallel)
        _refuse_parted(architecture.recorded, cut, way, unreached)
    if training.liger and architecture.model_type not in LIGER:
        raise NotKnownError(Missing("the memory of Liger's kernels for this family", ("hyperparameters", "liger")))
    if not architecture.stateless and tensor_parallel > 1:
        where = "instance", "tensor_parallel"
        raise NotKnownError(Missing(f"the memory of {_carries(architecture)} under tensor parallelism", where))
    if architecture.latent_attention is not None:
        _refuse_latent(architecture.latent_attention, training, tensor_parallel)
    if architecture.global_heads is not None:
        _refuse_global_heads(architecture.global_heads.width, training, tensor_parallel)
    if training.trainer == "litgpt":
        _refuse_litgpt(architecture, training, cut)


def _refuse_images(architecture: Architecture, training: Training, cut: Shards, tensor_parallel: int) -> None:
    """Refuse images where what a tower holds was not compared with a trace, or lies on several GPUs.

    Raises:
        NotKnownError: with what it is.
    """
    where = "data", "images"
    if architecture.vision is None or architecture.wrapper not in SEEN:
        raise NotKnownError(Missing("the memory of images in the tower of this model", where))
    if training.gradient_checkpointing and architecture.vision.taps:
        raise NotKnownError(Missing("the memory of deep features of images in layers that are computed again", where))
    if tensor_parallel > 1 or cut.weights > 1:
        raise NotKnownError(Missing("how several GPUs share the weights of a tower that runs", where))
    if training.activation_offloading or not training.objective.next_token or not training.adapters:
        raise NotKnownError(Missing("the memory of images in this training", where))


def _carries(architecture: Architecture) -> str:
    """What carries a state from token to token."""
    if architecture.state_space is not None:
        return "a state space"
    return "linear attention" if architecture.short_convolution is None else "short convolutions"


def _refuse_recorded(recording: Recording, training: Training, tensor_parallel: int) -> None:
    """Refuse what a recording does not tell: other kernels, layers of another release, and layers that are cut.

    Raises:
        NotKnownError: with what it is.
    """
    if training.liger or training.trainer == "litgpt":
        raise NotKnownError(Missing("the memory of other kernels than those that were recorded", ("model", "config")))
    runs = dict(training.software)["transformers"]
    if release(runs) not in (release(recording.transformers), None):
        said = f"the memory under transformers {runs} of a model recorded with {recording.transformers}"
        raise NotKnownError(Missing(said, ("software", "transformers")))
    kernels = ("eager",) if recording.values["attention"] == "eager" else ("sdpa", "flash_attention_2")
    if training.kernel not in kernels:
        said = f"the memory of {training.kernel} attention in a model recorded with {kernels[0]}"
        raise NotKnownError(Missing(said, ("hyperparameters", "attn_implementation")))
    narrow = BYTES[training.weights_dtype] < FLOAT32
    if narrow and not training.adapters and any(weight.wide for weight in recording.weights):
        said = "the training of a recorded model of which some weights have 32 bits, whatever its dtype"
        raise NotKnownError(Missing(said, ("hyperparameters", "method")))
    if tensor_parallel > 1:
        raise NotKnownError(Missing("how tensor parallelism cuts a recorded model", ("instance", "tensor_parallel")))
    reentrant = training.gradient_checkpointing and training.use_reentrant
    if recording.exchanging and (reentrant or training.activation_offloading):
        name = "use_reentrant" if reentrant else "activation_offloading"
        said = f"the memory under {name} of what recorded layers read of each other"
        raise NotKnownError(Missing(said, ("hyperparameters", name)))


def _refuse_parted(recording: Recording, cut: Shards, way: Parallelism | None, unreached: str) -> None:
    """Refuse several GPUs where layers share weights, or where ranks would wait for gradients that never come.

    Under the shipped script, DDP stops at its second step ("Expected to have finished reduction in the prior
    iteration"), as `ddp_find_unused_parameters` is false; what other engines do is not counted.

    Raises:
        NotKnownError: with what it is.
    """
    if recording.sharing and (cut.weights > 1 or (way is not None and way.splits_layers)):
        raise NotKnownError(Missing("where weights lie that layers on several GPUs share", ("instance", "parallelism")))
    if recording.idle and way is not None and way.distributed:
        said = "how ranks train a model of which some layers do not run for text, and get no gradients"
        raise NotKnownError(Missing(said, ("instance", "parallelism")))
    if unreached and way is not None and way.distributed:
        said = f"how ranks train {unreached} of a recorded model, which text does not run and which gets no gradient"
        if way.engine is Engine.DDP:
            said += " (DDP stops at its second step unless find_unused_parameters is set)"
        raise NotKnownError(Missing(said, ("instance", "parallelism")))


def _refuse_latent(sizes: LatentAttention, training: Training, tensor_parallel: int) -> None:
    """Refuse ways to share latent attention, and a kernel that does not run values narrower than queries.

    Raises:
        NotKnownError: with what it is.
    """
    if tensor_parallel > 1:
        where = "instance", "tensor_parallel"
        raise NotKnownError(Missing("the memory of latent attention under tensor parallelism", where))
    if training.kernel == "flash_attention_2" and sizes.head != sizes.v_head_dim:
        said = f"the memory of flash attention over queries of {sizes.head} numbers and values of {sizes.v_head_dim}"
        raise NotKnownError(Missing(said, ("hyperparameters", "attn_implementation")))


def _refuse_global_heads(width: int, training: Training, tensor_parallel: int) -> None:
    """Refuse ways to share layers of two kinds, and a kernel that does not run heads as wide as some are.

    Raises:
        NotKnownError: with what it is.
    """
    if tensor_parallel > 1:
        where = "instance", "tensor_parallel"
        raise NotKnownError(Missing("the memory under tensor parallelism of layers whose heads differ", where))
    if training.kernel == "flash_attention_2" and width > WIDEST_FLASH:
        said = f"the memory of flash attention over heads of {width} numbers, which it does not compute"
        raise NotKnownError(Missing(said, ("hyperparameters", "attn_implementation")))


def _refuse_litgpt(architecture: Architecture, training: Training, cut: Shards) -> None:
    """Refuse what LitGPT runs in a way of its own that is not counted.

    Its FSDP flattens frozen and adapted weights into one parameter, which then has a gradient of full size
    (`litgpt/finetune/lora.py`, `FSDPStrategy`, which keeps no original parameters apart).

    Raises:
        NotKnownError: with what it is.
    """
    if architecture.model_type not in LITGPT:
        raise NotKnownError(Missing("the memory of LitGPT's own layers of this family", ("software", "trainer")))
    without = training.loss != "standard" or training.kernel == "eager" or training.activation_offloading
    if without or training.use_dora or training.liger or training.modules_to_save:
        raise NotKnownError(Missing("the memory of an option that LitGPT does not have", ("software", "trainer")))
    if training.adapters and cut.weights > 1:
        raise NotKnownError(Missing("the memory of LitGPT's adapters under FSDP", ("instance", "parallelism")))
