"""A suite has too few items to show that its `min_score` is reached.

Why: A suite passes where the lower end of its score's confidence interval reaches `min_score`. With few items the
interval is wide: if all of 20 answers are right, the true share may still be 83 %. Such a suite lets no model through,
however good, and the deployment is compiled only with `--without-evaluation`.

Example:

    evaluation: [{suite: tool-usage, min_score: 0.9, items: 20}]

Instead:

    evaluation: [{suite: tool-usage, min_score: 0.9, items: 200}]

References:

    https://doi.org/10.1093/biomet/26.4.404
    https://arxiv.org/abs/2411.00640
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.plan.suites import planned_suites
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB636"),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for suites that do not pass even with all answers right, by the exact interval of Clopper and Pearson.

    Items of one template say less than so many independent ones: a suite that is not reported may still be too small.
    """
    suites = planned_suites(analysis.spec)
    if not suites:
        return
    from hbspec.significance import exact, items_that_can_pass  # which few specs need

    for index, suite in enumerate(suites):
        low = exact(suite.items, suite.items).low
        if low >= suite.least:
            continue
        written = analysis.spec.evaluation[index].items is not None
        route: Route = ("evaluation", index, "items" if written else "min_score")
        fewest = items_that_can_pass(suite.least)
        said = (
            f"{suite.name} asks {suite.items:,} items: if all answers are right, its score is still only shown to be "
            f"above {low:.3g}, but min_score is {suite.least:g}"
        )
        yield RULE.at(route, said, f"set items to at least {fewest:,}" if fewest else "set min_score below 1")
