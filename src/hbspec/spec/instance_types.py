"""The instance types that a spec names, each at its route."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.diagnostics import Route
from hbspec.spec.sections import Spec

TYPE: Route = ("instance", "type")


def training_types(spec: Spec) -> Iterator[tuple[Route, str]]:
    """The job's instance type and its alternatives, each with its route."""
    if spec.instance.type is not None:
        yield TYPE, spec.instance.type
    for index, name in enumerate(spec.instance.alternatives):
        yield ("instance", "alternatives", index), name


def hosting_types(spec: Spec) -> Iterator[tuple[Route, str]]:
    """The endpoint's instance type and its alternatives, in the order of preference, with their routes."""
    if spec.deployment is None:
        return
    route: Route = ("deployment", "instance")
    if spec.deployment.instance.type is not None:
        yield (*route, "type"), spec.deployment.instance.type
    for index, name in enumerate(spec.deployment.instance.alternatives):
        yield (*route, "alternatives", index), name
