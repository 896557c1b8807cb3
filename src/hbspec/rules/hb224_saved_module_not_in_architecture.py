"""`modules_to_save` names a module that the model does not have.

Why: peft trains and saves every module whose name ends with an entry of `modules_to_save`, in exactly that spelling. An
entry that matches no module is skipped silently: the job runs, and the output head or the embedding that was meant is
not trained.

Example:

    hyperparameters: {modules_to_save: [lm_hea]}

Instead:

    hyperparameters: {modules_to_save: [lm_head]}

References:

    https://huggingface.co/docs/peft/package_reference/lora
    https://github.com/huggingface/peft/blob/v0.21.2/src/peft/utils/other.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.architecture import Architecture
from hbspec.catalog.roles import TargetError, module_names, saved_modules
from hbspec.diagnostics import Confidence, Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up each name in `modules_to_save`; the author's script may load a class with other heads: a warning."""
    given = analysis.spec.hyperparameters
    if given.method == "full" or not given.modules_to_save:
        return
    architecture = analysis.plan.require("architecture")
    own = analysis.spec.script is not None
    names = module_names(architecture)
    for index, name in enumerate(given.modules_to_save):
        if not _means_nothing(architecture, name):
            continue
        route: Route = ("hyperparameters", "modules_to_save", index)
        near = nearest(name, names)
        yield RULE.at(
            route,
            f"{architecture.model_type} has no module whose name ends with {name}; it has {', '.join(names)}",
            f"did you mean {near}?" if near else "delete the entry, or name one of these",
            severity=Severity.WARNING if own else None,
            confidence=Confidence.LIKELY if own else None,
            fixes=(Fix(f"change it to {near}", route, near),) if near else (),
        )


def _means_nothing(architecture: Architecture, name: str) -> bool:
    """Whether no module is trained for a name; paths and containers are left to peft."""
    try:
        return not saved_modules(architecture, [name])
    except TargetError:
        return False
