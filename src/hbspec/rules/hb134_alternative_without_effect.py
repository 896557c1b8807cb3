"""An alternative is the first choice, another alternative, or stands beside a machine of the author's own.

Why: An alternative is tried where the first choice has no capacity, and the same type once more has none either: the
list promises more than it holds. A job on the author's own GPUs (`gpu`) asks for no instance at all.

Example:

    instance: {alternatives: [ml.p4d.24xlarge]}

Instead:

    instance: {alternatives: [ml.p4de.24xlarge]}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.instance_types import hosting_types, training_types

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for the alternatives of the job and of the endpoint."""
    spec = analysis.spec
    yield from _repeated(training_types(spec))
    yield from _repeated(hosting_types(spec))
    yield from _beside_own(("instance",), spec.instance.type, spec.instance.gpu, spec.instance.alternatives)
    if spec.deployment is not None:
        where = spec.deployment.instance
        yield from _beside_own(("deployment", "instance"), where.type, where.gpu, where.alternatives)


def _repeated(types: Iterable[tuple[Route, str]]) -> Iterator[Finding]:
    seen: dict[str, Route] = {}
    for route, name in types:
        if name in seen:
            of = "the instance type itself" if seen[name][-1] == "type" else "an alternative already"
            yield RULE.at(route, f"{name} is {of}", "remove it from the alternatives, or name another type")
        seen.setdefault(name, route)


def _beside_own(
    route: Route, instance_type: str | None, gpu: str | None, alternatives: tuple[str, ...]
) -> Iterator[Finding]:
    if alternatives and gpu and not instance_type:
        at = (*route, "alternatives")
        yield RULE.at(
            at,
            f"{'.'.join(map(str, at))} names {', '.join(alternatives)}, but gpu ({gpu}) is the author's own machine, "
            "which has no alternatives",
            "delete alternatives, or give each machine a spec of its own",
            fixes=(Fix("delete alternatives", at, safe=True),),
        )
