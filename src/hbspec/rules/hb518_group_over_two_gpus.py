"""A group of quantised weights would lie on two GPUs.

Why: AWQ and GPTQ share a scale among 128 weights of a row. Tensor parallelism splits the rows of the MLP's and the
attention's last matrix, and vLLM refuses a part that is not a whole number of groups: Qwen2.5-72B's 29,568 columns are
231 groups, which two, four or eight GPUs cannot share. Qwen's own copies are padded to 29,696; a copy of a fine-tuned
model has to be padded before it is quantised.

Example:

    model: {id: Qwen/Qwen2.5-72B-Instruct}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}
    instance: {type: ml.p5.48xlarge, parallelism: fsdp}
    deployment: {model: "s3://bucket/awq/", quantization: awq, instance: {type: ml.g6e.12xlarge}, tensor_parallel: 4}

Instead:

    model: {id: Qwen/Qwen2.5-72B-Instruct}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}
    instance: {type: ml.p5.48xlarge, parallelism: fsdp}
    deployment: {quantization: fp8, instance: {type: ml.p5.48xlarge}, tensor_parallel: 8}

References:

    https://github.com/QwenLM/Qwen3/issues/698
    https://github.com/vllm-project/vllm/issues/5675
    https://github.com/vllm-project/vllm/blob/v0.30.0/vllm/model_executor/layers/quantization/auto_awq.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog import Architecture
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.estimators.serving.memory import require_attention
from hbspec.estimators.weights import GROUP
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)
ROUTE = ("deployment", "tensor_parallel")
GROUPED = ("awq", "gptq")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the widths that are split by rows with groups of 128 over all GPUs.

    Group sizes other than the usual one are not known. A copy in the catalog has the shape of the model that was
    quantised, but may be padded: a warning.
    """
    if analysis.spec.deployment is None:
        return
    plan = analysis.serving_plan
    if plan.quantization not in GROUPED or plan.tensor_parallel == 1 or plan.architecture is None:
        return
    require_attention(plan.architecture)
    widths, size = dict(_widths(plan.architecture)), plan.tensor_parallel
    divisors = (n for n in range(1, size) if size % n == 0)
    possible = [n for n in divisors if not any(width % (GROUP * n) for width in widths.values())]
    row = analysis.catalog.models.get(plan.weights or "")
    for name, width in widths.items():
        if width % (GROUP * size):
            pad = f"pad them to {-(-width // (GROUP * size)) * GROUP * size} and quantise again"
            yield RULE.at(
                ROUTE,
                f"tensor_parallel {size} splits the {count_text(width)} columns of {name} into {width / size:g} each, "
                f"which are not whole groups of {GROUP} {plan.quantization} weights",
                f"set tensor_parallel to {possible[-1]}, or {pad}" if possible else f"{pad}, or set quantization: fp8",
                severity=Severity.ERROR if row is None or row.shape == row.id else Severity.WARNING,
                instead=possible,
            )


def _widths(model: Architecture) -> Iterator[tuple[str, int]]:
    """Columns of the matrices that tensor parallelism splits by rows."""
    yield "o_proj", model.num_attention_heads * model.head_dim
    yield "down_proj", model.moe_intermediate_size if model.is_sparse else model.intermediate_size
