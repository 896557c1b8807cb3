"""The instance types that a spec names, each at its route."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.diagnostics import Route
from hbspec.spec import Spec

TYPE: Route = ("instance", "type")


def training_types(spec: Spec) -> Iterator[tuple[Route, str]]:
    """The job's instance type and its alternatives, each with its route."""
    if spec.instance.type is not None:
        yield TYPE, spec.instance.type
    for index, name in enumerate(spec.instance.alternatives):
        yield ("instance", "alternatives", index), name
