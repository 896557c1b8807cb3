"""A setting needs more than the shipped training script does.

Why: The shipped script trains adapters, or all weights, of the model as it is published: it adds no tokens, freezes no
part of the weights, quantises no fused experts, merges nothing, updates after the backward pass, and always writes
checkpoints, from which a stopped job goes on. The estimate would describe another job than the one that runs.

Example:

    hyperparameters: {merge_weights: true}

Instead:

    hyperparameters: {merge_weights: false}

References:

    https://huggingface.co/docs/peft/developer_guides/model_merging
    https://docs.pytorch.org/tutorials/intermediate/optimizer_step_in_backward_tutorial.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.ERROR)

LACKS: Mapping[tuple[str, str], str] = {
    ("model", "added_tokens"): "adds no tokens",
    ("instance", "loads_whole"): "leaves it to the libraries where weights are before they are sharded",
    ("hyperparameters", "unfrozen_parameters"): "trains all weights or adapters",
    ("hyperparameters", "output_router_logits"): "adds no loss that balances experts",
    ("hyperparameters", "quantize_experts"): "quantises linear modules only",
    ("hyperparameters", "optimizer_in_bwd"): "updates after the backward pass",
    ("hyperparameters", "merge_weights"): "merges nothing",
    ("hyperparameters", "use_vllm"): "generates with the model that it trains",
    ("hyperparameters", "generation_batch_size"): "counts a generation by steps_per_generation",
}
"""By key, what the script does instead."""
GRPO_LACKS: Mapping[tuple[str, str], str] = {
    ("hyperparameters", "activation_offloading"): "keeps activations on the GPU in task grpo",
    ("hyperparameters", "load_best_model_at_end"): "has no loss to compare in task grpo",
}
"""The same, for a task whose trainer has fewer arguments."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find settings that only the author's script or another framework can follow."""
    spec = analysis.spec
    if not spec.shipped:
        return
    lacks = {**LACKS, **GRPO_LACKS} if spec.task == "grpo" else LACKS
    for route, instead in lacks.items():
        value = getattr(getattr(spec, route[0]), route[1])
        if value:
            yield _finding(route, value, instead)
    if spec.hyperparameters.loss_type == "exo_pair":
        yield _finding(("hyperparameters", "loss_type"), "exo_pair", "gives losses no label smoothing")
    watched = spec.monitoring.loss if spec.monitoring is not None else None
    if spec.task == "grpo" and watched is not None and watched.decreasing_over:
        yield _finding(
            ("monitoring", "loss", "decreasing_over"), watched.decreasing_over, "watches no loss in task grpo"
        )
    if spec.hyperparameters.save_strategy == "no":
        yield _finding(("hyperparameters", "save_strategy"), "no", "always writes checkpoints")
    if spec.hyperparameters.eval_strategy == "no" and spec.data.validation is not None:
        yield _finding(("hyperparameters", "eval_strategy"), "no", "evaluates what data.validation holds out")


def _finding(route: Route, value: object, instead: str) -> Finding:
    shown = "true" if value is True else ", ".join(value) if isinstance(value, tuple) else plain(value)
    return RULE.at(
        route,
        f"{route[-1]} is {shown}, but the shipped script {instead}",
        f"delete {route[-1]}, or set script to your script that supports it",
        instead=(None,),
    )
