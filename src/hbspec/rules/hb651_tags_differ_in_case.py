"""Two tags differ in case only.

Why: Keys of tags are case sensitive: `team` and `Team` are two tags, and a report of costs, or a policy that asks for
one of them, does not see the other.

Example:

    sagemaker: {tags: {team: support, Team: ml}}

Instead:

    sagemaker: {tags: {team: support, owner: ml}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for tags whose key is that of an earlier one but for its case."""
    account = analysis.spec.sagemaker
    first: dict[str, str] = {}
    for name in account.tags if account is not None else ():
        earlier = first.setdefault(name.casefold(), name)
        if earlier != name:
            yield RULE.at(
                ("sagemaker", "tags", name),
                f"the tags {earlier!r} and {name!r} differ in case only",
                "delete one of the two",
            )
