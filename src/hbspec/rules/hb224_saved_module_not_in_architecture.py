"""`modules_to_save` names a module that the model does not have, or that `target_modules` names as well.

Why: peft trains and saves every module whose name ends with an entry of `modules_to_save`, in exactly that spelling. An
entry that matches no module is skipped silently: the job runs, and the output head or the embedding that was meant is
not trained. A module that is also one of `target_modules` gets no adapter if it is named in full; where only the end of
its name is given, peft fails after the weights were loaded.

Example:

    hyperparameters: {modules_to_save: [lm_hea]}
    deployment: null

Instead:

    hyperparameters: {modules_to_save: [lm_head]}
    deployment: null

References:

    https://huggingface.co/docs/peft/package_reference/lora
    https://github.com/huggingface/peft/blob/v0.21.2/src/peft/utils/other.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hbspec.analysis import Analysis
from hbspec.catalog.architecture import Architecture
from hbspec.catalog.roles import TargetError, TargetSavedError, module_names, roles, saved_modules
from hbspec.diagnostics import Confidence, Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)
ROUTE: Route = ("hyperparameters", "modules_to_save")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up each name in `modules_to_save`; the author's script may load a class with other heads: a warning."""
    given = analysis.spec.hyperparameters
    if given.method == "full" or not given.modules_to_save:
        return
    architecture = analysis.plan.require("architecture")
    own = not analysis.spec.shipped
    severity, confidence = (Severity.WARNING, Confidence.LIKELY) if own else (None, None)
    names = module_names(architecture)
    for index, name in enumerate(given.modules_to_save):
        if not _means_nothing(architecture, name):
            continue
        near, route = nearest(name, names), (*ROUTE, index)
        yield RULE.at(
            route,
            f"{architecture.model_type} has no module whose name ends with {name}; it has {', '.join(names)}",
            f"did you mean {near}?" if near else "delete the entry, or name one of these",
            severity=severity,
            confidence=confidence,
            fixes=(Fix(f"change it to {near}", route, near),) if near else (),
        )
    module = _refused(architecture, analysis.plan.training.target_modules, given.modules_to_save)
    if module is not None:
        index, name = next((at, name) for at, name in enumerate(given.modules_to_save) if module.endswith(name))
        route, short = (*ROUTE, index), module != name
        yield RULE.at(
            route,
            f"peft refuses to train {module} whole by the name {name}, since it is a target as well",
            f"name it in full: {module}" if short else "delete it here or in target_modules",
            severity=severity,
            confidence=confidence,
            fixes=(Fix("name it in full", route, module),) if short else (),
        )


def _refused(architecture: Architecture, targets: str | Sequence[str], saved: Sequence[str]) -> str | None:
    """A target that peft would not train whole; names that are wrong themselves are left to other rules."""
    try:
        roles(architecture, targets, saved)
    except TargetSavedError as reason:
        return reason.module
    except TargetError:
        return None
    return None


def _means_nothing(architecture: Architecture, name: str) -> bool:
    """Whether no module is trained for a name; paths and containers are left to peft."""
    try:
        return not saved_modules(architecture, [name])
    except TargetError:
        return False
