"""`gpu` names a GPU that is not in the catalog.

Why: A GPU's usable memory, bandwidth and throughput are read from the catalog, so nothing is known about a name that is
not in it, and the two memory sizes of one model differ by half. With `gpu_memory` a job's memory is checked for any
GPU, but its time and cost stay unknown.

Example:

    instance: {type: null, gpu: A100, gpus: 8}

Instead:

    instance: {type: null, gpu: A100-40, gpus: 8}

References:

    https://developer.nvidia.com/cuda-gpus
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.gpu_names import gpus_meant
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)

MOST_NAMED = 6
"""Of more GPUs than these that a spelling may mean, none is named."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up `instance.gpu`, unless `gpu_memory` is set, and `deployment.instance.gpu`."""
    spec = analysis.spec
    named: list[tuple[Route, str | None]] = []
    if spec.instance.gpu_memory is None:
        named.append((("instance", "gpu"), spec.instance.gpu))
    if spec.deployment:
        named.append((("deployment", "instance", "gpu"), spec.deployment.instance.gpu))
    for route, name in named:
        if name is not None and analysis.catalog.gpu_called(name) is None:
            names = list(analysis.catalog.gpus)
            meant = gpus_meant(name, analysis.catalog.gpus)
            near = " or ".join(meant) if 0 < len(meant) <= MOST_NAMED else nearest(name, names)
            other = "set gpu_memory, or use" if route == ("instance", "gpu") else "use"
            action = f"did you mean {near}?" if near else f"{other} one of {', '.join(names)}"
            fixes = (Fix(f"change it to {near}", route, near),) if len(meant) == 1 else ()
            yield RULE.at(route, f"gpu {name} is not in the catalog", action, fixes=fixes)
