"""A version in `software` is of a major release that did not exist when hbspec was made.

Why: pip stops at a version that was never published, after the instance was started. hbspec knows the releases up to
those that the shipped script pins; a later minor or patch version is taken for a newer one, but a later major version
is more often a slip of the finger, and nothing is known of its memory, its speed or what it refuses.

Example:

    software: {trl: 11.6.0}

Instead:

    software: {trl: 1.16.0}

References:

    https://pypi.org/project/trl/#history
    https://pypi.org/project/transformers/#history
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.epochs import release
from hbspec.plan.shipped_script import SOFTWARE
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
TORCH = "2.13.0"
"""The release of torch that the tests run."""
KNOWN = {**SOFTWARE, "torch": TORCH}
"""The newest release of each package that hbspec was compared with."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the first number of each stated version with that of the newest known one."""
    for package, newest in KNOWN.items():
        stated, known = getattr(analysis.spec.software, package, None), release(newest)
        found = release(stated) if stated else None
        if found is not None and known is not None and found[0] > known[0]:
            yield RULE.at(
                ("software", package),
                f"{package} is {stated}, but the newest major release that hbspec knows is {known[0]} ({newest})",
                f"set software.{package} to a release that exists, such as {newest}",
                instead=(newest,),
            )
