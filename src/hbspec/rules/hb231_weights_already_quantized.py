"""The model's weights are already quantised by a method that hbspec does not estimate while training.

Why: Adapters can be trained on weights that GPTQ or AWQ quantised, but what their kernels hold and unpack depends on
the package that runs them; weights in FP8 or FP4 are made for serving. The estimate would be that of 16-bit weights, or
of weights that bitsandbytes quantises. A copy in the catalog names the model that was quantised.

Example:

    model: {id: Qwen/Qwen2.5-7B-Instruct-AWQ}

Instead:

    model: {id: Qwen/Qwen2.5-7B-Instruct}

References:

    https://huggingface.co/docs/peft/developer_guides/quantization
    https://huggingface.co/docs/transformers/quantization/gptq
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("model", "id")

REFUSED = ("gptq", "awq", "aqlm", "fp8", "nvfp4")
"""Values of `quantization_config.quant_method` in config.json (transformers 5.23.0, `QuantizationMethod`), and ways of
storing that the catalog names."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find weights that are stored in a way that is not estimated."""
    architecture, model = analysis.architecture or analysis.bounds, analysis.spec.model
    if architecture is None or architecture.quant_method not in REFUSED:
        return
    message = (
        f"the weights are quantised by {architecture.quant_method}, but hbspec estimates training on 16-bit, nf4, fp4 "
        "and int8 weights only"
    )
    if model.config is None and model.id is not None:
        from hbspec.catalog.names import unquantised  # difflib, which no other check needs

        base = unquantised(model.id, analysis.catalog.models)
        yield RULE.at(ROUTE, message, f"train {base or 'the model that was quantised'}")
    else:
        yield RULE.at(("model", "config"), message, "set model.id and model.config to the model that was quantised")
