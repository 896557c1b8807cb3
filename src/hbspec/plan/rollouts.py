"""How GRPO gets the completions that it trains on: what generates them, how many at once, and how they are scored.

Symbols: m micro-batch, S micro-batches that are generated together, i iterations over them, a gradient accumulation.
Source: TRL 1.16.0, `grpo_config.py`; `grpo_trainer.py`, `_prepare_inputs` and `_generate_and_score_completions`;
`generation/vllm_generation.py`.
"""

from __future__ import annotations

from math import ceil
from typing import Any, NamedTuple

from hbspec.plan.assumptions import Choices
from hbspec.plan.generations import USUAL_GROUP, generations
from hbspec.plan.lengths import Lengths
from hbspec.plan.training import Training
from hbspec.spec import Spec
from hbspec.units import Interval

GENERATE, COLOCATED, SERVER = "transformers", "colocate", "server"
"""What generates: transformers' `generate`, a vLLM on the GPUs that train, or one on a server of its own."""

USUAL_COMPLETION = 512
"""`GRPOConfig.max_completion_length`."""
USUAL_SHARE = 0.3
"""`GRPOConfig.vllm_gpu_memory_utilization`."""
SOURCE = "TRL 1.16.0 GRPOConfig"


class Rollouts(NamedTuple):
    """What is generated on each process, and what is computed of it before it is trained on.

    Attributes:
        group: completions of a prompt.
        completion: tokens after which a completion is stopped.
        steps: S, micro-batches of a process that are generated together.
        iterations: i, how often they are trained on.
        engine: `GENERATE`, `COLOCATED` or `SERVER`.
        share: of each GPU's memory that a colocated vLLM takes; 0 otherwise.
        parts: GPUs that share a colocated vLLM's model; 1 otherwise.
        window: tokens of a request that it makes room for; None for the model's positions.
        sleeps: whether it gives its memory back while the model trains.
        old: whether the log probabilities of the model that generated are computed before the updates.
        within_updates: whether a generation may come when an update has begun, beside gradients.
    """

    group: int
    completion: int
    steps: int
    iterations: int
    engine: str
    share: float
    parts: int
    window: int | None
    sleeps: bool
    old: bool
    within_updates: bool

    def rows(self, micro_batch: int) -> int:
        """Completions that a process has generated together."""
        return micro_batch * self.steps


def resolve_rollouts(spec: Spec, choices: Choices, ranks: int | None) -> Rollouts | None:
    """The rollouts of a spec, with defaults noted as assumptions; None for a task without.

    The old log probabilities are computed where the model may have moved since it generated (a is not a multiple of
    S i), and always with vLLM, whose probabilities differ.

    Args:
        spec: the typed spec.
        choices: is told what is assumed.
        ranks: data-parallel ranks; None where not known.
    """
    if spec.task != "grpo":
        return None
    given = spec.hyperparameters

    def take(name: str, usual: Any) -> Any:
        return choices.take(getattr(given, name), ("hyperparameters", name), usual, SOURCE)

    found = generations(spec, ranks or 1)
    if given.generation_batch_size is None:
        take("steps_per_generation", found.steps)
    with_vllm = bool(take("use_vllm", False))
    engine = str(take("vllm_mode", COLOCATED)) if with_vllm else GENERATE
    colocated, every = engine == COLOCATED, found.steps * found.iterations
    accumulation = given.gradient_accumulation_steps
    return Rollouts(
        group=int(take("num_generations", USUAL_GROUP)),
        completion=int(take("max_completion_length", USUAL_COMPLETION)),
        steps=found.steps,
        iterations=found.iterations,
        engine=engine,
        share=float(take("vllm_gpu_memory_utilization", USUAL_SHARE)) if colocated else 0.0,
        parts=int(take("vllm_tensor_parallel_size", 1)) if colocated else 1,
        window=given.vllm_max_model_length if colocated else None,
        sleeps=bool(take("vllm_enable_sleep_mode", False)) if colocated else False,
        old=with_vllm or accumulation % every != 0,
        within_updates=every % accumulation != 0,
    )


def completed(
    training: Training, rollouts: Rollouts, prompts: Lengths, *, shipped: bool
) -> tuple[Training, Lengths, Interval]:
    """A training with its rollouts, the lengths of prompts with their completions, and the share of prompts so trained.

    The shipped script leaves out prompts that a cap has no room for beside a completion. Without a cap it cuts nothing,
    and TRL's trainer itself never does, so that rows are as long as prompts and completions are.
    """
    cap, cuts = training.max_length, shipped and training.capped
    if not cuts:
        cap = max(cap, ceil(prompts.longest.high) + rollouts.completion)
    room, prompts = max(1, cap - rollouts.completion), prompts._replace(left_out=cuts)
    lengths = prompts.cut(room).completed(rollouts.completion)
    return training._replace(max_length=cap, rollouts=rollouts), lengths, prompts.kept(room)
