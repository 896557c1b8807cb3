"""What a job trains for, and the hyperparameters of objectives beyond the next token, by TRL's names.

Names are those of TRL 1.16.0 (`trl/trainer/`: `dpo_config.py`, `kto_config.py`, `reward_config.py`, `grpo_config.py`).
As in `sections.py`, annotations are real objects.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from hbspec.spec.fields import Positive, Section
from hbspec.spec.unestimated import Unestimated

Task = Literal["sft", "pretrain", "dpo", "kto", "reward", "grpo"]

LossType = Literal[
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot",
    "aot_unpaired", "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm", "kto", "apo_zero_unpaired",
    "grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo",
]  # fmt: skip
"""`DPOConfig`'s first, then `KTOConfig`'s and `GRPOConfig`'s."""

FUNCTION = r"(?:[A-Za-z0-9_-]+/)*[A-Za-z_][A-Za-z0-9_]*\.py:[A-Za-z_][A-Za-z0-9_]*"
"""A function of a Python file that can be imported by its name."""


def _function(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(rf"(?:\./)?{FUNCTION}", value):
        raise PydanticCustomError("function_of_a_file", "not a function of a file")
    return value


RewardFunction = Annotated[
    str,
    BeforeValidator(_function),
    WithJsonSchema({"type": "string", "pattern": rf"^(?:\./)?{FUNCTION}$", "examples": ["rewards.py:correct"]}),
]


class Reward(Section):
    """What completions are scored by, of `task: grpo`."""

    functions: Annotated[tuple[RewardFunction, ...], Field(strict=False, min_length=1)] = Field(
        description="Functions of your files, as `rewards.py:name`; each takes what TRL's reward functions take."
    )


class ObjectiveSettings(Section):
    """Hyperparameters that only some tasks have."""

    beta: Annotated[float, Field(ge=0, le=1000)] | None = Field(
        None, description="`dpo`, `kto`, `grpo`: how strongly the model is held to its reference."
    )
    loss_type: LossType | None = Field(None, description="`dpo`, `kto`, `grpo`: the loss, by TRL's name.")
    precompute_ref_log_probs: bool | None = Field(
        None, description="`dpo`, `kto`: score the data with the reference once, before training."
    )
    ref_model: bool | None = Field(
        None, description="`dpo`, `kto`: whether your script gives TRL's trainer a second model as its reference."
    )
    num_generations: Annotated[int, Field(ge=2, le=10**5)] | None = Field(
        None, description="`grpo`: completions of each prompt."
    )
    max_completion_length: Annotated[int, Field(gt=0, le=10**8)] | None = Field(
        None, description="`grpo`: tokens after which a completion is stopped."
    )
    temperature: Annotated[float, Field(gt=0, le=100)] | None = Field(
        None, description="`grpo`: temperature that completions are drawn at."
    )
    num_iterations: Annotated[int, Field(gt=0, le=10**4)] | None = Field(
        None, description="`grpo`: how often a batch of completions is trained on."
    )
    steps_per_generation: Annotated[int, Field(gt=0, le=10**6)] | None = Field(
        None, description="`grpo`: micro-batches of each process that are generated together."
    )
    generation_batch_size: Positive | None = Field(
        None, description="`grpo`: completions that are generated together, instead of `steps_per_generation`."
    )
    use_vllm: bool | None = Field(None, description="`grpo`: generate with vLLM.")
    vllm_mode: Literal["colocate", "server"] | None = Field(
        None, description="`grpo`: vLLM on the GPUs that train, or on a server of its own."
    )
    vllm_gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="`grpo`: share of each GPU's memory that a colocated vLLM takes."
    )
    vllm_tensor_parallel_size: Positive | None = Field(
        None, description="`grpo`: GPUs over which each colocated vLLM spreads its model."
    )
    vllm_max_model_length: Positive | None = Field(
        None, description="`grpo`: tokens of a prompt and its completion that a colocated vLLM makes room for."
    )
    vllm_enable_sleep_mode: bool | None = Field(
        None, description="`grpo`: whether a colocated vLLM gives its memory back while the model trains."
    )


def _experimental(package: str, instead: str) -> Unestimated:
    return Unestimated(f"TRL 1.16 has it only as experimental (trl.experimental.{package})", instead)


_PAIRS = "choose dpo, which trains on the same pairs"
_ONLINE = "choose grpo, which generates and scores completions while it trains"
_TEACHER = "choose sft on answers of the teacher"
_GONE = "TRL 1.16 no longer has it"

OTHER_TASKS = {
    "orpo": _experimental("orpo", _PAIRS),
    "cpo": _experimental("cpo", _PAIRS),
    "simpo": Unestimated("it is a loss of CPO, which TRL 1.16 has only as experimental (trl.experimental.cpo)", _PAIRS),
    "tpo": _experimental("tpo", _PAIRS),
    "ipo": Unestimated("it is a loss of DPO", "choose dpo, and set hyperparameters.loss_type: ipo"),
    "online_dpo": _experimental("online_dpo", _ONLINE),
    "async_grpo": _experimental("async_grpo", _ONLINE),
    "gmpo": _experimental("gmpo", _ONLINE),
    "a2po": _experimental("a2po", _ONLINE),
    "sdpo": _experimental("sdpo", _ONLINE),
    "gkd": _experimental("gkd", _TEACHER),
    "gold": _experimental("gold", _TEACHER),
    "sdft": _experimental("sdft", _TEACHER),
    "distillation": Unestimated("TRL's DistillationTrainer is not estimated", _TEACHER),
    "rloo": Unestimated("TRL's RLOOTrainer is not estimated", _ONLINE),
    "ppo": Unestimated(_GONE, _ONLINE),
    "nash_md": Unestimated(_GONE, _ONLINE),
    "xpo": Unestimated(_GONE, _ONLINE),
    "bco": Unestimated(_GONE, "choose kto, which trains on the same labelled answers"),
    "prm": Unestimated(_GONE, "choose reward, which scores whole answers"),
    "rm": Unestimated("the task is called reward", "choose reward"),
    "pt": Unestimated("the task is called pretrain", "choose pretrain"),
}
"""Other names of objectives: those of TRL's that a task cannot be, and short names of LLaMA-Factory's stages."""
