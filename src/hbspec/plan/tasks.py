"""What each task is in TRL 1.16.0: its trainer, the data that it takes, and the settings that it has.

Source: `trl/trainer/`: `dpo_config.py`, `kto_config.py`, `reward_config.py`, `grpo_config.py`, and the trainers beside
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class TaskFacts(NamedTuple):
    """What a task is.

    Attributes:
        trainer: the class of TRL that trains it.
        types: dataset types that the shipped script trains for it; the first is what it is made for.
        settings: hyperparameters that it has, beside those of every task.
        beta: default of `beta`; None where it has none.
        losses: what `loss_type` may be, the default first.
        next_token: whether every token of a row, or of its answers, is predicted by all logits: as in `sft`.
        undropped: whether the trainer switches dropout off (`disable_dropout`).
    """

    trainer: str
    types: tuple[str, ...]
    settings: tuple[str, ...] = ()
    beta: float | None = None
    losses: tuple[str, ...] = ()
    next_token: bool = False
    undropped: bool = True


_DPO = (
    *("sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired"),
    *("apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm"),
)
_SAMPLING = (
    *("num_generations", "max_completion_length", "temperature", "num_iterations", "steps_per_generation"),
    *("generation_batch_size", "use_vllm", "vllm_mode", "vllm_gpu_memory_utilization"),
    *("vllm_tensor_parallel_size", "vllm_max_model_length", "vllm_enable_sleep_mode"),
)
_HELD = ("beta", "loss_type")
_SCORED = ("precompute_ref_log_probs", "ref_model")
"""The second is an argument of the trainers themselves."""

TASKS: Mapping[str, TaskFacts] = {
    "sft": TaskFacts("SFTTrainer", ("language_modeling", "prompt_completion"), next_token=True, undropped=False),
    "pretrain": TaskFacts("SFTTrainer", ("language_modeling",), next_token=True, undropped=False),
    "dpo": TaskFacts("DPOTrainer", ("preference",), _HELD + _SCORED, 0.1, _DPO),
    "kto": TaskFacts("KTOTrainer", ("unpaired_preference",), _HELD + _SCORED, 0.1, ("kto", "apo_zero_unpaired")),
    "reward": TaskFacts("RewardTrainer", ("preference",)),
    "grpo": TaskFacts(
        trainer="GRPOTrainer",
        types=("prompt_only",),
        settings=_HELD + _SAMPLING,
        beta=0.0,
        losses=("dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo", "luspo", "vespo"),
        undropped=False,
    ),
}

SETTINGS = (*_HELD, *_SCORED, *_SAMPLING)
"""Hyperparameters that only some tasks have."""
