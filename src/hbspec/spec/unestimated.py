"""Keys of other programs that decide memory or speed in a way that hbspec does not estimate, or that are gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Unestimated(NamedTuple):
    """Why a key is refused, and what to do."""

    reason: str
    action: str


_LENGTH = Unestimated(
    "rows that are split over GPUs (context or sequence parallelism) are not estimated",
    "delete it; instance.tensor_parallel and hyperparameters.gradient_checkpointing are estimated",
)
_SELECTIVE = Unestimated(
    "checkpointing of some layers or operators is not estimated",
    "delete it; hyperparameters.gradient_checkpointing recomputes every layer or none",
)
_PROMPTS = Unestimated(
    "TRL's GRPOConfig no longer has it: prompts are not cut",
    "delete it, and leave longer prompts out of the data; max_completion_length is kept",
)
_LIGER = Unestimated("Liger's kernels are chosen together", "use `liger: true`")

KEYS: Mapping[str, Unestimated] = {
    **dict.fromkeys(
        (
            *("context_parallel_size", "context_parallel_degree", "cp_size", "sequence_parallel_size"),
            *("sequence_parallel_degree", "ulysses_sequence_parallel_size", "sp_size", "ring_attention"),
        ),
        _LENGTH,
    ),
    **dict.fromkeys(
        (
            *("activation_checkpointing", "ac_mode", "ac_option", "selective_checkpointing", "every_n_layers"),
            *("selective_activation_checkpointing", "enable_activation_checkpointing"),
        ),
        _SELECTIVE,
    ),
    "max_prompt_length": _PROMPTS,
    **dict.fromkeys(
        (
            *("use_liger_kernel", "liger_kernel_config", "enable_liger_kernel", "liger_rope", "liger_rms_norm"),
            *("liger_glu_activation", "liger_fused_linear_cross_entropy", "liger_cross_entropy"),
        ),
        _LIGER,
    ),
}
"""By key, as transformers, axolotl, LLaMA-Factory, torchtune and torchtitan spell them."""
