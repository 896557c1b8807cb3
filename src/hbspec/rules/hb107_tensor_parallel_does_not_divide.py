"""`tensor_parallel` does not evenly divide the model's heads or the instance's GPUs.

Why: Tensor parallelism splits a layer by attention heads. Heads, key-value heads and GPUs have to divide evenly;
otherwise the engine or the trainer refuses to start: a model with 28 heads cannot use eight GPUs.

Example:

    deployment: {tensor_parallel: 3}

Instead:

    deployment: {tensor_parallel: 4}

References:

    https://github.com/vllm-project/vllm/issues/2652
    https://github.com/vllm-project/vllm/issues/11797
    https://github.com/vllm-project/vllm/pull/52535
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog import Architecture
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.estimators.serving.memory import require_attention
from hbspec.plan import Hardware
from hbspec.plan.parallelism import PARALLELISMS
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB124", same_route),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `instance.tensor_parallel` and `deployment.tensor_parallel` with heads and GPUs."""
    spec = analysis.spec
    trained = spec.instance.tensor_parallel if PARALLELISMS[spec.instance.parallelism].distributed else None
    served = spec.deployment.tensor_parallel if spec.deployment else None
    if trained is None and served is None:
        return
    model = analysis.plan.require("architecture")
    require_attention(model)
    if trained is not None:
        yield from _judge(("instance", "tensor_parallel"), trained, model, analysis.plan.hardware, copies=False)
    if served is not None:
        yield from _judge(("deployment", "tensor_parallel"), served, model, analysis.serving_plan.hardware, copies=True)


def _judge(
    route: Route, size: int, model: Architecture, machine: Hardware | None, *, copies: bool
) -> Iterator[Finding]:
    """Judge one size; `copies` is whether key-value heads may be repeated on several GPUs, as serving engines do."""
    gpus = machine.gpus_per_instance if machine else None
    possible = [n for n in range(1, (gpus or size) + 1) if not list(_undivided(n, model, gpus, copies))]
    action = f"set tensor_parallel to one of {', '.join(map(str, possible))}"
    if machine and size > machine.gpus_per_instance:
        message = f"tensor_parallel {size} exceeds the GPU count of {machine.name}, {gpus}"
        yield RULE.at(route, message, action, instead=possible)
    elif undivided := list(_undivided(size, model, gpus, copies)):
        yield RULE.at(route, f"tensor_parallel {size} does not divide {', '.join(undivided)}", action, instead=possible)


def _undivided(size: int, model: Architecture, gpus: int | None, copies: bool) -> Iterator[str]:
    """The counts that a size does not divide, each with its noun."""
    heads, pairs = model.num_attention_heads, model.num_key_value_heads
    if heads % size:
        yield f"{heads} attention heads"
    if pairs % size and not (copies and size % pairs == 0):
        yield f"{pairs} key-value heads"
    if gpus is not None and not copies and gpus % size:
        yield f"{gpus} GPUs"
