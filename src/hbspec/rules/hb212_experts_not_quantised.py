"""QLoRA leaves the experts of a mixture-of-experts model unquantised.

Why: Since version 5, transformers stores the experts of a layer as one fused parameter, and bitsandbytes replaces
linear modules only. Nearly the whole model keeps its size: QLoRA needs at least as much memory as LoRA.

Example:

    model: {id: openai/gpt-oss-20b}
    instance: {type: ml.p5en.48xlarge}
    hyperparameters: {attn_implementation: eager}

Instead:

    model: {id: openai/gpt-oss-20b}
    instance: {type: ml.p5en.48xlarge}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null, attn_implementation: eager}

References:

    https://github.com/ml-explore/mlx-lm/issues/571
    https://huggingface.co/docs/transformers/quantization/bitsandbytes
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import weights
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.epochs import FUSED_EXPERTS, UNFUSED_TRANSFORMERS
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find quantised training of an architecture with routed experts."""
    training = analysis.plan.training
    if training.quantization is None:
        return
    architecture = analysis.plan.require("architecture")
    version = dict(training.software)["transformers"].strip("=<>~! v")
    asked = analysis.spec.hyperparameters.method is not None
    if architecture.is_sparse and training.has(FUSED_EXPERTS) and not training.quantize_experts:
        experts = sum(weight.parameters for weight in weights(architecture) if weight.kind == "expert")
        yield RULE.at(
            ("hyperparameters", "method"),
            f"qlora leaves the experts of {analysis.plan.model} unquantised (transformers {version}): "
            f"{bytes_text(BYTES[training.weights_dtype] * experts)} in {training.weights_dtype}",
            "use method: lora, which does not need more memory, or a dense model",
            instead=(Fix("", ("software", "transformers"), UNFUSED_TRANSFORMERS),) if asked else (),
        )
