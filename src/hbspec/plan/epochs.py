"""Since which version a library behaves as it does now, where that decides memory, speed or what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple


class Epoch(NamedTuple):
    """A change of a library's behaviour: the first release, as (major, minor) or (major, minor, patch), that has it."""

    package: str
    since: tuple[int, ...]

    def is_in(self, software: Mapping[str, str]) -> bool:
        """Whether versions by package (`{"transformers": "5.23.0"}`) have the change; `main` has every change."""
        numbers = numbers_of(software[self.package], len(self.since))
        return not numbers or numbers >= self.since


def packing_strategies(trl: str) -> tuple[str, ...]:
    """What `packing_strategy` may be in a version of TRL, the default first; none where it has no strategies.

    >>> packing_strategies("1.16.0"), packing_strategies("0.19.1"), packing_strategies("0.18.2")
    (('bfd', 'bfd_split', 'wrapped'), ('ffd', 'wrapped'), ())
    """
    return next((names for epoch, names in PACKING_STRATEGIES if epoch.is_in({"trl": trl})), ())


def release(version: str) -> tuple[int, int] | None:
    """The first two numbers of a version; None if it has none.

    >>> release("v4.57.0rc1"), release("5"), release("main")
    ((4, 57), (5, 0), None)
    """
    numbers = numbers_of(version, 2)
    return (numbers[0], numbers[1]) if numbers else None


@lru_cache(maxsize=256)
def numbers_of(version: str, count: int) -> tuple[int, ...]:
    """So many numbers of a version, 0 for those that it leaves out; empty if it has none.

    >>> numbers_of("0.43.2.dev0", 3), numbers_of("0.43", 3), numbers_of("main", 3)
    ((0, 43, 2), (0, 43, 0), ())
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", version))
    return (*numbers, *(0,) * count)[:count] if numbers else ()


FUSED_EXPERTS = Epoch("transformers", (5, 0))
"""A layer's experts are one 3-dimensional parameter, which bitsandbytes does not quantise; before, they were linear
modules, which it did (`integrations/bitsandbytes.py`, `replace_with_bnb_linear`)."""

UNFUSED_TRANSFORMERS = "4.57.0"
"""A version of transformers before `FUSED_EXPERTS`."""

EXACT_LINEAR = Epoch("transformers", (5, 5))
"""bitsandbytes gets modules whose class is `nn.Linear` itself, and `Conv1D`; before, also those of classes derived from
it (`integrations/bitsandbytes.py`, `replace_with_bnb_linear`)."""

FSDP_SAVED_ON_HOST = Epoch("transformers", (4, 31))
"""FSDP's full state dict goes to the first rank's host memory unit by unit (`Trainer.save_model`, which calls
accelerate's `FullyShardedDataParallelPlugin.save_model`); before, every GPU held all of it."""

SHARDS_OF_50_GB = Epoch("transformers", (5, 0))
"""Files of a saved model hold up to 50 GB (`PreTrainedModel.save_pretrained`, `max_shard_size`); before, 5 GB."""

TOWERS_HOOKED = Epoch("transformers", (5, 0))
"""Every model inside a wrapper has what embeds its input hooked, a tower's patches too, so that gradients go through a
frozen tower (`modeling_utils.py`, `enable_input_require_grads`); before, the embedding of the text alone."""

NON_REENTRANT = Epoch("transformers", (5, 0))
"""Gradient checkpointing recomputes a layer only up to its last saved tensor (`use_reentrant=False`) unless told."""

CHECKPOINTED_INSIDE = Epoch("transformers", (4, 53))
"""A layer checkpoints itself (`modeling_layers.py`, `GradientCheckpointingLayer`), inside of what FSDP1 wraps; before,
the model did around it (`modeling_mixtral.py`; Llama's layers one release earlier)."""

TRL_NON_REENTRANT = Epoch("trl", (0, 28))
"""The same under TRL whatever transformers does (`SFTTrainer.__init__`)."""

ZERO3_REENTRANT = Epoch("trl", (0, 27))
"""Adapters under ZeRO-3 are checkpointed reentrantly, whatever was asked for (`SFTTrainer.__init__`)."""

LOGITS_KEPT = Epoch("transformers", (4, 46))
"""A function of its own upcasts the logits (`loss/loss_utils.py`), while the model still holds those of 16 bits; in
models before, the upcast ones took their place."""

LABELS_SHIFTED = Epoch("transformers", (4, 49))
"""Labels are shifted against the logits (`loss/loss_utils.py`); before, the loss worked on a contiguous shifted copy of
the upcast logits."""

SHARES_OF_UPDATES = Epoch("transformers", (4, 29))
"""`eval_steps`, `save_steps` and `logging_steps` below 1 are shares of all updates (`trainer_callback.py`,
`TrainerState.compute_steps`); before, they were whole numbers (`training_args.py`)."""

WARMUP_SHARES = Epoch("transformers", (5, 0))
"""`warmup_steps` below 1 is a share of all updates (`training_args.py`, `get_warmup_steps`); 4.57 refuses it."""

EVALUATED_AT_END = Epoch("transformers", (5, 4))
"""A run with `eval_steps` is also evaluated after its last update (`trainer_callback.py`, `DefaultFlowCallback`)."""

LOSS_CHUNKED = Epoch("trl", (1, 7))
"""An unset `loss_type` holds the logits of some tokens only (`SFTConfig.__post_init__`); before, all at once."""

LOSS_FUSED = Epoch("trl", (1, 15))
"""The usual loss, `nll`, is computed by a fused head of TRL's own (`kernels/chunked_logprob.py`), which leaves Liger's
out (`SFTTrainer.__init__`)."""

QUERIES_PACKED = Epoch("transformers", (5, 23))
"""SDPA with a mask and one new token packs the queries that share a head of keys (`integrations/sdpa_attention.py`,
`pack_gqa`). Earlier releases, of which some may too, are taken to repeat keys and values for every query head."""

PACKING_STRATEGIES = (
    (Epoch("trl", (1, 0)), ("bfd", "bfd_split", "wrapped")),
    (Epoch("trl", (0, 20)), ("bfd", "wrapped")),
    (Epoch("trl", (0, 19)), ("ffd", "wrapped")),
)
"""What `packing_strategy` may be since when, and first of all is (`SFTConfig`); 0.29's `bfd-requeue` is left out."""

ROWS_JOINED = ("ffd", "bfd", "bfd_split")
"""Strategies with which packed rows of a micro-batch become one row (`SFTTrainer`, `padding_free`)."""

PACKED_POSITIONS = Epoch("trl", (0, 24))
"""Packed rows come with the positions that tell examples apart, whatever the attention kernel; before, only for flash
attention (`SFTTrainer`, `return_position_ids`)."""

PACKED_MASKS = Epoch("transformers", (4, 54))
"""Masks keep the examples of a packed row apart by their positions (`masking_utils.py`)."""

SDPA_BY_DEFAULT = Epoch("transformers", (4, 36))
"""Attention is `sdpa` where the model supports it and nothing else is asked for (`modeling_utils.py`,
`_autoset_attn_implementation`, with torch 2.1.1 or later); before, it was eager."""

SDPA_REFUSED = Epoch("transformers", (5, 0))
"""Loading stops where `sdpa` is asked for and the model does not support it."""

INPUTS_DROPPED = Epoch("bitsandbytes", (0, 43, 2))
"""`MatMul4Bit` no longer keeps its input, which only a gradient of the weight would need (`autograd/_functions.py`)."""

QUANTIZED_MOVED_OFF = Epoch("transformers", (4, 39))
"""Under ZeRO-3, and under FSDP with RAM-efficient loading (`is_fsdp_enabled`), every quantised parameter leaves the GPU
as soon as it is quantised (`modeling_utils.py`, `_load_state_dict_into_meta_model`); before, every GPU held all."""

QUANTIZED_READ_ONCE = Epoch("transformers", (4, 45))
"""Under FSDP only the first process of a host keeps those, in host memory; in the others they go to the meta device."""

QUANTIZED_LOADED_WHOLE = Epoch("transformers", (5, 0))
"""Every GPU holds the whole quantised model before FSDP or ZeRO-3 shards it: weights load in another way
(`core_model_loading.py`), and without a device map go to the current GPU (`quantizer_bnb_4bit.py`,
`quantizer_bnb_8bit.py`, `update_device_map`)."""

FSDP2_BY_DEFAULT = Epoch("transformers", (5, 10))
"""`fsdp_config["version"]` is 2 by default (`training_args.py`); it was 1, as accelerate's `FSDP_VERSION` still is."""

FSDP2_DEFERS = Epoch("accelerate", (1, 11))
"""`Accelerator.no_sync` holds back FSDP2's reduction of gradients (`set_requires_gradient_sync`)."""

UINT8_LEFT_WHOLE = Epoch("accelerate", (1, 14))
"""4-bit weights stored as uint8 are left out of FSDP2's sharding, with torch 2.7 or later (`utils/fsdp_utils.py`,
`fsdp2_prepare_model`)."""

EPOCHS = (
    *(entry for entry in list(vars().values()) if isinstance(entry, Epoch)),
    *(one for one, _ in PACKING_STRATEGIES),
)
"""Every epoch of this file."""


def apart(one: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Packages whose two versions lie on different sides of an epoch, each with both versions.

    Args:
        one: versions by package.
        other: likewise; a package that only one of them has is not compared.

    >>> apart({"trl": "1.16.0", "peft": "0.21"}, {"trl": "1.14.1", "peft": "0.20"})
    [('trl', '1.16.0', '1.14.1')]
    >>> apart({"trl": "1.16.0"}, {"trl": "1.15.2"})
    []
    """
    both = one.keys() & other.keys()
    packages = {epoch.package for epoch in EPOCHS if epoch.package in both and epoch.is_in(one) != epoch.is_in(other)}
    return [(package, one[package], other[package]) for package in sorted(packages)]
