"""`deployment.quantization` says how the served weights are quantised, but they are stored otherwise.

Why: An engine loads AWQ and GPTQ weights only if somebody has made them: naming the method beside 16-bit weights
changes nothing, and four times the estimated memory is loaded. A quantised copy says its method in its own
`config.json`, which the engine reads. vLLM makes nf4 and fp8 itself while it loads 16-bit weights. Quantise the base
model with llm-compressor or GPTQModel, or take a published copy, and name it in `deployment.model`.

Example:

    model: {id: Qwen/Qwen2.5-7B-Instruct}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}
    deployment: {quantization: awq}

Instead:

    model: {id: Qwen/Qwen2.5-7B-Instruct}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}
    deployment: {quantization: awq, model: Qwen/Qwen2.5-7B-Instruct-AWQ}

References:

    https://docs.vllm.ai/en/latest/features/quantization/
    https://docs.djl.ai/master/docs/serving/serving/docs/lmi/user_guides/vllm_user_guide.html
    https://github.com/vllm-project/llm-compressor
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, beside=(Beside("HB231"),))
ROUTE = ("deployment", "quantization")

SAID = {
    "bnb-4bit": ("nf4", "fp4"),
    "bitsandbytes": ("nf4", "fp4", "int8"),
    "awq": ("awq",),
    "gptq": ("gptq",),
    "fp8": ("fp8",),
    "compressed-tensors": ("fp8", "int8", "awq", "gptq"),
}
"""What weights that are stored in a way may be called in a spec; other ways have no word there."""
MADE_BEFORE = ("awq", "gptq")
"""What an engine does not make of 16-bit weights by itself; int8 and fp4 have a rule of their own."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `deployment.quantization` with what the catalog says of the weights, and with what training writes.

    A copy that the author names in `deployment.model`, and the output of their own script, are what they say.
    """
    section = analysis.spec.deployment
    if section is None:
        return
    plan, said = analysis.serving_plan, section.quantization
    if plan.stored in SAID:
        if said not in SAID[plan.stored]:
            words = SAID[plan.stored]
            message = f"quantization is {said}, but {plan.weights} is stored as {plan.stored}"
            yield RULE.at(ROUTE, message, f"set quantization: {words[0]}, or deployment.model to other weights",
                          instead=words)  # fmt: skip
    elif said in MADE_BEFORE and plan.stored != said:
        if plan.adapters == "merged":
            if analysis.spec.shipped:
                message = f"quantization is {said}, but training writes 16-bit weights"
                yield RULE.at(ROUTE, message, "set quantization: fp8, which vLLM makes while it loads, or none")
        else:
            message = f"quantization is {said}, but {plan.weights or 'the base model'} is stored in 16 bits"
            yield RULE.at(ROUTE, message, _action(analysis, said))


def _action(analysis: Analysis, said: str) -> str:
    """Names a published copy, or says how to make one."""
    from hbspec.catalog.names import unquantised  # difflib, which no other check needs

    models, base = analysis.catalog.models, analysis.spec.model.id
    copies = (name for name in models if said in name.lower() and base in (name, unquantised(name, models)))
    copy = next((name for name in copies if models[name].stored == said), None)
    if copy is not None:
        return f"set deployment.model: {copy}"
    return f"quantise the base model by {said} and name the copy in deployment.model, or set quantization: fp8 or nf4"
