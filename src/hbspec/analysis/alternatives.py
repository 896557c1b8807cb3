"""The job on each of the alternatives to its instance type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hbspec.diagnostics import Route
from hbspec.spec.instance_types import training_types

if TYPE_CHECKING:
    from hbspec.analysis.analysis import Analysis


def on_alternatives(analysis: Analysis) -> Iterator[tuple[Route, str, Analysis]]:
    """The job on each other training type with GPUs that `instance.alternatives` names, with its route and name.

    The price is the catalog's, since the author's is that of the first choice. What is left out belongs to the first
    choice, too: claims, the alarm for GPU memory, and the endpoint, which has alternatives of its own.
    """
    spec, catalog = analysis.spec, analysis.catalog
    if spec.instance.type is None:  # a machine of the author's own has none
        return
    seen = {spec.instance.type}
    for route, name in training_types(spec):
        row = catalog.instances.get(name)
        if name in seen or row is None or not row.gpus or name not in catalog.training_types:
            continue
        seen.add(name)
        watched = spec.monitoring and spec.monitoring.model_copy(update={"gpu_memory": None})
        instance = spec.instance.model_copy(update={"type": name, "alternatives": (), "price": None})
        changed: dict[str, Any] = {"instance": instance, "deployment": None, "monitoring": watched, "expect": {}}
        yield route, name, replace(analysis, spec=spec.model_copy(update=changed), findings=())
