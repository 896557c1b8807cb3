"""A version in `software` is older than the model, an option, another library or the GPU needs.

Why: transformers knows a model's type only from some release on, an option comes with a release of its library, and
libraries need one another. The job stops when pip resolves its requirements, when a library is imported, or when the
model is loaded, after the instance was started and the weights were downloaded. The table of versions was read off the
published packages; what it does not have is not judged, and a version of a script of your own may be patched.

Example:

    software: {bitsandbytes: 0.37.2}

Instead:

    software: {bitsandbytes: 0.49.0}

References:

    https://huggingface.co/docs/transformers/quantization/bitsandbytes
    https://github.com/QwenLM/Qwen3/issues/247
    https://github.com/huggingface/transformers/issues/34161
    https://github.com/pytorch/pytorch/issues/90761
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.plan.epochs import numbers_of
from hbspec.rules.needed_versions import PACKAGES, PARTS, Needed, unmet
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find, for each package, the newest version that is needed and not met."""
    needs = list(unmet(analysis))
    for package in PACKAGES:
        mine = [needed for needed in needs if needed.need.package == package]
        if mine:
            yield _finding(analysis, mine)


def _finding(analysis: Analysis, needs: list[Needed]) -> Finding:
    """The finding of one package, at its version if it is stated, else at that of the package that needs another."""
    worst = max(needs, key=lambda needed: numbers_of(needed.need.at_least, PARTS))
    need = worst.need
    stated = getattr(analysis.spec.software, need.package) is not None
    route: Route = ("software", need.package if stated or need.kind != "package" else need.name)
    stops = {"always", "install"} if analysis.spec.shipped else {"always"}
    fails = any(needed.need.strength in stops for needed in needs)
    return RULE.at(
        route,
        f"{need.package} is {worst.version}, but {worst.by} needs {need.at_least} or later",
        f"set software.{need.package} to {need.at_least} or later",
        severity=Severity.ERROR if fails else Severity.WARNING,
        fixes=(Fix(f"set it to {need.at_least}", ("software", need.package), need.at_least),),
        instead=(None,),
    )
