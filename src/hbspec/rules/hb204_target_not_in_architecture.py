"""`target_modules` names a module that the model does not have.

Why: Module names differ between architectures (`q_proj`, `qkv_proj`, `query_key_value`). The job stops if no name in
the list matches; a name that does not match beside others that do is skipped silently, and that part is never trained.

Example:

    hyperparameters: {target_modules: [q_proj, v_porj]}

Instead:

    hyperparameters: {target_modules: [q_proj, v_proj]}

References:

    https://huggingface.co/docs/peft/package_reference/lora
    https://github.com/hiyouga/LlamaFactory/issues/1785
    https://github.com/OptimalScale/LMFlow/issues/125
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog import Architecture
from hbspec.catalog.parameters import target_module_names
from hbspec.catalog.roles import ALL_LINEAR, TargetError
from hbspec.catalog.target_patterns import TargetAbsentError
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.plan.targets import PEFT_S_CHOICE, resolved_targets
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest, typo_of

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up each plain name in `target_modules`; paths to single layers are left to peft.

    `all-linear` means every linear module, also those that peft refuses in models of some types.
    """
    given = analysis.spec.hyperparameters
    layers, modules = given.layers_to_transform or (), given.target_modules
    if not analysis.plan.training.adapters or (modules is None and not layers):
        return
    architecture = analysis.plan.require("architecture")
    names = target_module_names(architecture)
    yield from _absent(architecture, modules or analysis.plan.training.target_modules, layers)
    if isinstance(modules, str):
        yield from _refused(architecture, modules)
        return
    for index, name in enumerate(modules or ()):
        if name in names or "." in name:
            continue
        route: Route = ("hyperparameters", "target_modules", index)
        near = nearest(name, names)
        yield RULE.at(
            route,
            f"{architecture.model_type} has no adaptable module {name}; it has {', '.join(names)}",
            f"did you mean {near}?" if near else "use target_modules: all-linear",
            fixes=(Fix(f"change it to {near}", route, near),) if near else (),
        )


def _absent(architecture: Architecture, said: str | tuple[str, ...], layers: tuple[int, ...]) -> Iterator[Finding]:
    """A pattern that matches nothing, layers that are not there, and a type for which peft chooses nothing."""
    try:
        resolved_targets(architecture, said, layers)
    except TargetAbsentError as reason:
        route: Route = ("hyperparameters", reason.key)
        near = typo_of(said, (ALL_LINEAR, PEFT_S_CHOICE)) if isinstance(said, str) else None
        action = f"did you mean {near}?" if near else "name modules of the model, or use target_modules: all-linear"
        if reason.key == "layers_to_transform":
            action = "name the modules, and use indices of layers that the model has"
        yield RULE.at(route, str(reason), action, fixes=(Fix(f"change it to {near}", route, near),) if near else ())
    except TargetError:
        return  # not counted, which the estimates say


def _refused(architecture: Architecture, said: str) -> Iterator[Finding]:
    refused = architecture.family.unadapted
    if refused and said.lower() == ALL_LINEAR:
        names = ", ".join(target_module_names(architecture)[:-2])
        yield RULE.at(
            ("hyperparameters", "target_modules"),
            f"peft refuses {' and '.join(sorted(refused))} in {architecture.model_type}, which {said} means too",
            f"use target_modules: [{names}]",
        )
