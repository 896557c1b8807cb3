"""The model is of a type that hbspec does not model: its figures are bounds from the numbers of its config.

Why: Memory and time are counted tensor by tensor, from what is known of a type's layers. Of another type, the config
tells the sizes of layers, but not which layer has which, whether an MLP has a gate, or what layers keep for the
backward pass. All figures then lie between those of a smaller and of a larger model of a known family, and are as wide.
A job "fits" only if the larger model does, and "does not fit" only if the smaller one does not. Rules that need the
layers, such as those on targets, tensor parallelism or the KV cache, are skipped.

`hbspec model add` records the layers of the model as transformers builds them, after which memory is exact.

Whether the type can be trained is not checked either: transformers stops while loading where it does not know the type,
or where `attn_implementation` asks for attention that the type does not have.

Example:

    model: {id: state-spaces/mamba-2.8b-hf}

Instead:

    model: {id: Qwen/Qwen2.5-7B}

References:

    https://huggingface.co/docs/transformers/main_classes/configuration
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a model of which only bounds are known."""
    bounds, model = analysis.bounds, analysis.spec.model
    if bounds is None:
        return
    named = model.config or model.id
    route: Route = ("model", "config" if model.config is not None else "id")
    parameters = bounds.parameters.map(lambda count: float(f"{count:.3g}"))
    yield RULE.at(
        route,
        f"hbspec has no exact model of this {bounds.model_type}: its config allows {count_text(parameters.low)} to "
        f"{count_text(parameters.high)} parameters, and all figures are bounds as wide",
        f"run `hbspec model add {named}`, and set model.config to the file that it writes",
    )
