"""What is trained for: one table of tasks, with TRL's trainer of each and the dataset types that it takes.

Names, losses and defaults are those of TRL 1.16 (https://github.com/huggingface/trl/tree/v1.16.0/trl/trainer, the files
`dpo_config.py`, `kto_config.py`, `reward_config.py` and `grpo_config.py`). Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Task(NamedTuple):
    """An objective.

    Attributes:
        trainer: TRL's class.
        config: TRL's class of its arguments.
        types: dataset types that it trains; the first is the usual one.
        example: what one example is called.
        losses: values of LOSS_TYPE, the default first; none where the loss cannot be chosen.
        beta: the default of BETA; 0 where nothing is compared with a reference.
        drops_out: whether dropout stays on; TRL switches it off for some (`disable_dropout`).
    """

    trainer: str
    config: str
    types: tuple[str, ...]
    example: str = "example"
    losses: tuple[str, ...] = ()
    beta: float = 0.0
    drops_out: bool = True


DPO_LOSSES = (
    "sigmoid", "hinge", "ipo", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired", "apo_zero",
    "apo_down", "discopop", "sft", "sigmoid_norm",
)  # fmt: skip
"""All of TRL's but exo_pair, which needs a label smoothing above 0."""
GRPO_LOSSES = ("dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo", "luspo", "vespo")
KTO_LOSSES = ("kto", "apo_zero_unpaired")
NO_KL = "apo_zero_unpaired"
"""The loss of KTO that compares no answer with another example's."""

PREFERENCE, UNPAIRED, PROMPTS = "preference", "unpaired_preference", "prompt_only"

TASKS: Mapping[str, Task] = {
    "sft": Task("SFTTrainer", "SFTConfig", ("language_modeling", "prompt_completion")),
    "pretrain": Task("SFTTrainer", "SFTConfig", ("language_modeling",)),
    "dpo": Task("DPOTrainer", "DPOConfig", (PREFERENCE,), "pair", DPO_LOSSES, 0.1, drops_out=False),
    "kto": Task("KTOTrainer", "KTOConfig", (UNPAIRED,), "example", KTO_LOSSES, 0.1, drops_out=False),
    "reward": Task("RewardTrainer", "RewardConfig", (PREFERENCE,), "pair", drops_out=False),
    "grpo": Task("GRPOTrainer", "GRPOConfig", (PROMPTS,), "prompt", GRPO_LOSSES, 0.0),
}
SUPERVISED = ("sft", "pretrain")
"""Tasks whose examples are rows that are learnt token by token."""

DATA_TYPES = TASKS["sft"].types
"""Dataset types that are trained unless a task is named."""
ALL_TYPES = tuple(dict.fromkeys(kind for task in TASKS.values() for kind in task.types))
"""Dataset types that one task or another trains."""
LOSS_TYPES = tuple(dict.fromkeys(loss for task in TASKS.values() for loss in task.losses))
