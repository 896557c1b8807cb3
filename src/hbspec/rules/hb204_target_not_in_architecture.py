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
from hbspec.catalog.roles import ALL_LINEAR
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up each plain name in `target_modules`; paths to single layers are left to peft.

    `all-linear` means every linear module, also those that peft refuses in models of some types.
    """
    given = analysis.spec.hyperparameters
    if not analysis.plan.training.adapters or given.target_modules is None:
        return
    architecture = analysis.plan.require("architecture")
    names = target_module_names(architecture)
    if isinstance(given.target_modules, str):
        yield from _refused(architecture, given.target_modules)
        return
    for index, name in enumerate(given.target_modules):
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


def _refused(architecture: Architecture, said: str) -> Iterator[Finding]:
    refused = architecture.family.unadapted
    if refused and said.lower() == ALL_LINEAR:
        names = ", ".join(target_module_names(architecture)[:-2])
        yield RULE.at(
            ("hyperparameters", "target_modules"),
            f"peft refuses {' and '.join(sorted(refused))} in {architecture.model_type}, which {said} means too",
            f"use target_modules: [{names}]",
        )
