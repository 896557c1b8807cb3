"""`deployment.model` is of another shape than the model that the adapters are trained on.

Why: An adapter is two matrices beside each adapted one, as wide as the model. On weights of another width or another
number of layers the engine refuses to load it ("size mismatch"), after the training was paid for. `deployment.model`
names a copy of the trained model that is stored otherwise, such as its AWQ version.

Example:

    model: {id: Qwen/Qwen2.5-7B-Instruct}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}
    deployment: {model: Qwen/Qwen2.5-14B-Instruct-AWQ, quantization: awq}

Instead:

    model: {id: Qwen/Qwen2.5-7B-Instruct}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}
    deployment: {model: Qwen/Qwen2.5-7B-Instruct-AWQ, quantization: awq}

References:

    https://github.com/huggingface/peft/issues/460
    https://github.com/hiyouga/LlamaFactory/issues/5807
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog import Architecture
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("deployment", "model")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare layers and width of the served and of the trained model, where the catalog has both."""
    section = analysis.spec.deployment
    if section is None or section.model is None:
        return
    plan, trained = analysis.serving_plan, analysis.architecture
    if analysis.plan.training.adapters and plan.adapters == "separate":
        served = plan.architecture
        if trained is not None and served is not None and _shape(trained) != _shape(served):
            yield RULE.at(
                ROUTE,
                f"{section.model} has {_text(served)}, but the adapters are trained on {analysis.plan.model} with "
                f"{_text(trained)}",
                f"name a copy of {analysis.plan.model}, or remove deployment.model",
                instead=(None,),
            )
    elif not analysis.plan.training.adapters:
        yield RULE.at(
            ROUTE,
            f"deployment.model is {section.model}, but full training writes weights of its own, which are served",
            "remove deployment.model",
            severity=Severity.WARNING,
            instead=(None,),
        )


def _shape(model: Architecture) -> tuple[int, int]:
    return model.num_hidden_layers, model.hidden_size


def _text(model: Architecture) -> str:
    return f"{model.num_hidden_layers} layers of width {count_text(model.hidden_size)}"
