"""The settings of torch's allocator contradict each other, or hold an option that hbspec does not replay.

Why: An option or a boolean that torch does not know ends the job when it first uses the GPU, and two places that differ
leave open which one is meant: both are errors. Limits of splitting, garbage collection and rounding change what is
reserved, and are not replayed: the reserve is then a wider estimate, and this is a warning.

Example:

    software: {allocator: "max_split_size_mb:128"}

Instead:

    software: {allocator: "expandable_segments:True"}

References:

    https://docs.pytorch.org/docs/stable/notes/cuda.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.plan.allocator import EXPANDABLE, FLAGS, OPTIONS, VARIABLE, allocator_settings, in_environment, options
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare both places, and read the options."""
    spec, variable = analysis.spec, in_environment(analysis.spec)
    own = spec.software.allocator
    route = ("software", "allocator") if own is not None else ("sagemaker", "environment", VARIABLE)
    if own is not None and variable is not None and options(own) != options(variable):
        said = f"software.allocator is {own}, but {VARIABLE} in sagemaker.environment is {variable}"
        yield RULE.at(route, said, f"delete {VARIABLE} from sagemaker.environment", severity=Severity.ERROR)
        return
    refused = list(_refused(route, options(own or variable or "")))
    yield from refused
    others = allocator_settings(spec).others
    if others and not refused:
        yield RULE.at(
            route,
            f"{', '.join(others)} changes what torch's allocator reserves, and hbspec does not replay it",
            f"set {EXPANDABLE}:True alone to have the reserve replayed",
        )


def _refused(route: Route, given: Mapping[str, str]) -> Iterator[Finding]:
    """What torch refuses: names of options, and the spelling of the boolean that hbspec reads."""
    for name in given:
        if name not in OPTIONS:
            closest = nearest(name, OPTIONS)
            action = f"did you mean {closest}?" if closest else f"use options of torch, such as {EXPANDABLE}:True"
            yield RULE.at(route, f"torch's allocator has no option {name!r}", action, severity=Severity.ERROR)
    value = given.get(EXPANDABLE)
    if value is not None and value not in FLAGS:
        said = f"{EXPANDABLE} is {value!r}, and torch accepts True or False"
        yield RULE.at(route, said, f"set {EXPANDABLE}:True", severity=Severity.ERROR)
