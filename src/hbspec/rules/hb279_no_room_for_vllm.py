"""The vLLM that generates beside the training does not get enough of each GPU to start.

Why: A colocated vLLM takes `vllm_gpu_memory_utilization` of each GPU, 0.3 if not set, for a copy of the weights, its
activations and its cache. It stops where the weights alone are larger, and where the cache that is left has no room for
the longest request: `vllm_max_model_length` tokens, or as many as the model has positions. The job has then loaded the
model on the rented instance already.

Example:

    task: grpo
    data: {type: prompt_only}
    script: {entry_point: finetune.py}
    hyperparameters: {max_steps: 60, max_completion_length: 256, use_vllm: true, vllm_max_model_length: 960}
    deployment: null

Instead:

    task: grpo
    data: {type: prompt_only}
    script: {entry_point: finetune.py}
    hyperparameters: {max_steps: 60, max_completion_length: 256, use_vllm: true, vllm_max_model_length: 960,
      vllm_tensor_parallel_size: 4}
    deployment: null

References:

    https://huggingface.co/docs/trl/grpo_trainer#speed-up-training-with-vllm
    https://huggingface.co/docs/trl/vllm_integration
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.estimators.serving.generating import engine_room
from hbspec.plan.rollouts import COLOCATED
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text, count_text

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "vllm_gpu_memory_utilization")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare a colocated vLLM's share of a GPU with its weights, and with those and its longest request."""
    rollouts = analysis.plan.training.rollouts
    if rollouts is None or rollouts.engine != COLOCATED:
        return
    found = engine_room(analysis.plan, rollouts)
    share = f"vllm_gpu_memory_utilization {rollouts.share:g} is {bytes_text(found.share)} of each GPU"
    action = "raise it, or spread vLLM's model with vllm_tensor_parallel_size"
    if found.weights > found.share:
        yield RULE.at(ROUTE, f"{share}, and vLLM's weights take {bytes_text(found.weights)}", action)
    elif found.longest > found.cache:
        yield RULE.at(
            ROUTE,
            f"{share}: beside its weights it has {bytes_text(found.cache)}, and a request of "
            f"{count_text(found.window)} tokens takes {bytes_text(found.longest)}",
            f"{action}, or set vllm_max_model_length to what prompts and completions need",
            severity=Severity.WARNING,
            confidence=Confidence.LIKELY,
        )
