"""The engine uses fewer GPUs than the endpoint's instance has.

Why: One engine runs in the container, on as many GPUs as `tensor_parallel` says, one by default. The others are idle,
and the whole instance is billed: with `tensor_parallel: 4` half of an ml.p5.48xlarge. A smaller instance serves as many
requests for less, and more GPUs serve more.

Example:

    deployment: {tensor_parallel: 2, quantization: nf4, max_model_len: 4096}

Instead:

    deployment: {tensor_parallel: 4, quantization: nf4, max_model_len: 4096}

References:

    https://docs.vllm.ai/en/latest/serving/parallelism_scaling/
    https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-hosting-resources.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog import Architecture
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.plan import Hardware, ServingPlan
from hbspec.plan.serving import with_each_instance
from hbspec.rules.causes import Beside, of_first_choices, same_route
from hbspec.rules.rule import Rule

RULE = Rule(
    __name__,
    Severity.WARNING,
    beside=(Beside("HB107", same_route), Beside("HB501", of_first_choices), Beside("HB502", of_first_choices)),
)
TENSOR_PARALLEL: Route = ("deployment", "tensor_parallel")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `deployment.tensor_parallel` with the GPUs of the instance; the author's own image may start several.

    Of alternatives only those are named that have more GPUs than the first choice.
    """
    section, account = analysis.spec.deployment, analysis.spec.sagemaker
    if section is None or (account and account.serving_image):
        return
    plan = analysis.serving_plan
    machine, used = plan.hardware, plan.tensor_parallel
    if machine is None:
        return
    if used < machine.gpus_per_instance:
        route = TENSOR_PARALLEL if section.tensor_parallel else ("deployment", "instance", "type")
        yield _idle(route, machine, plan)
        return
    for where, other, _ in with_each_instance(plan, analysis.catalog, analysis.spec):
        if "alternatives" in where and used < other.gpus_per_instance:
            yield _idle(where, other, plan)


def _idle(route: Route, machine: Hardware, plan: ServingPlan) -> Finding:
    every, used = machine.gpus_per_instance, plan.tensor_parallel
    shared = "alternatives" not in route and (plan.architecture is None or _divides(every, plan.architecture))
    smaller = f"use an instance type with {used} GPU{'s' if used > 1 else ''}"
    return RULE.at(
        route,
        f"tensor_parallel is {used}, but {machine.name} has {every} GPUs: {every - used} are idle and billed",
        f"set tensor_parallel to {every}, or {smaller}" if shared else smaller,
        instead=(Fix("", TENSOR_PARALLEL, every),) if shared else (),
    )


def _divides(size: int, model: Architecture) -> bool:
    pairs = model.num_key_value_heads
    return model.num_attention_heads % size == 0 and (pairs % size == 0 or size % pairs == 0)
