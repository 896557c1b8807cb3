"""`vllm_tensor_parallel_size` does not divide the processes of the job.

Why: Each colocated vLLM spreads its model over as many of the GPUs that train, so that groups of them must cover all
processes. TRL stops before the first step where they do not, when the model has been loaded on the rented instance.

Example:

    task: grpo
    data: {type: prompt_only, validation: null}
    script: {entry_point: finetune.py}
    hyperparameters: {max_steps: 60, max_completion_length: 256, use_vllm: true, vllm_max_model_length: 960,
      vllm_tensor_parallel_size: 3}
    deployment: null

Instead:

    task: grpo
    data: {type: prompt_only, validation: null}
    script: {entry_point: finetune.py}
    hyperparameters: {max_steps: 60, max_completion_length: 256, use_vllm: true, vllm_max_model_length: 960,
      vllm_tensor_parallel_size: 4}
    deployment: null

References:

    https://huggingface.co/docs/trl/vllm_integration
    https://huggingface.co/docs/trl/grpo_trainer#trl.GRPOConfig
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "vllm_tensor_parallel_size")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the GPUs of each colocated vLLM with the number of processes."""
    rollouts, processes = analysis.plan.training.rollouts, analysis.plan.require("processes")
    if rollouts is None or processes % rollouts.parts == 0:
        return
    divisors = [number for number in range(1, processes + 1) if processes % number == 0]
    yield RULE.at(
        ROUTE,
        f"vllm_tensor_parallel_size {rollouts.parts} does not divide the {processes} processes",
        f"set it to one of {', '.join(map(str, divisors))}",
        instead=tuple(reversed(divisors)),
    )
