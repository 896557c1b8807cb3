"""Hardware described by a GPU that the catalog does not have.

Why: the memory that PyTorch can use, the bandwidth and what a GPU computes are read from the catalog; of a name that is
not in it nothing is known, and the two memory sizes that one model is sold with differ by half. With `gpu_memory` a job
is judged for memory on any GPU, but its time and cost stay unknown.

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
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`instance.gpu`, unless its memory is given, and `deployment.instance.gpu`."""
    spec = analysis.spec
    named: list[tuple[Route, str | None]] = []
    if spec.instance.gpu_memory is None:
        named.append((("instance", "gpu"), spec.instance.gpu))
    if spec.deployment:
        named.append((("deployment", "instance", "gpu"), spec.deployment.instance.gpu))
    for route, name in named:
        if name is not None and name not in analysis.catalog.gpus:
            names = list(analysis.catalog.gpus)
            variants = [known for known in names if known.startswith(f"{name}-")]
            near = " or ".join(variants) or nearest(name, names)
            other = "give its `gpu_memory`, or choose" if route == ("instance", "gpu") else "choose"
            action = f"did you mean {near}?" if near else f"{other} one of {', '.join(names)}"
            yield RULE.at(route, f"there is no GPU {name} in the catalog", action)
