"""A claim or the budget counts on updates times batch size; the trainer processes fewer examples.

Why: An epoch rarely ends with a full update: its last update takes the examples that are left. A run over several
epochs therefore processes fewer examples than updates times effective batch size, and epochs calculated from that
product are too many.

Example:

    expect: {training.examples_processed: 9.6K}

Instead:

    expect: {training.examples_processed: 9568}

References:

    https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py
    https://github.com/deepspeedai/DeepSpeed/issues/3982
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, NotKnownError, Route, Severity
from hbspec.digits import UnitError
from hbspec.parsing import parse_count
from hbspec.plan import Counts
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule
from hbspec.units import count_text, significant

RULE = Rule(__name__, Severity.NOTE, beside=(Beside("HB401", same_route),))
CLAIM: Route = ("expect", "training.examples_processed")
BUDGET: Route = ("budget", "max_cost")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find nominal and real counts that differ, where the nominal one is claimed or decides about the budget."""
    plan = analysis.plan
    counts = plan.require("counts")
    if counts.nominal_examples == counts.examples_processed:
        return
    if counts.rows < counts.effective_batch_size:  # HB218 judges data below one update
        return
    route = CLAIM if _claims(analysis, counts) else BUDGET if _decides_over_the_budget(analysis, counts) else None
    if route:
        yield RULE.at(
            route,
            f"{count_text(counts.optimizer_steps)} updates x {count_text(counts.effective_batch_size)}"
            f"{' packed rows, about' if plan.training.packing else ' ='} "
            f"{count_text(counts.nominal_examples)} examples ({significant(counts.nominal_epochs)} epochs) is nominal: "
            f"the last update of an epoch is partial, so {count_text(counts.examples_processed)} "
            f"({significant(counts.epochs)} epochs) are processed",
            f"calculate with {count_text(counts.examples_processed)} examples",
        )


def _claims(analysis: Analysis, counts: Counts) -> bool:
    """Whether the author claims the nominal number as the number of examples processed."""
    try:
        return parse_count(analysis.spec.expect.get(str(CLAIM[-1]))) == counts.nominal_examples
    except UnitError:
        return False


def _decides_over_the_budget(analysis: Analysis, counts: Counts) -> bool:
    """Whether the cost in proportion to the nominal number is on the other side of the budget."""
    budget = analysis.spec.budget
    with suppress(NotKnownError):
        if budget is not None:
            cost, limit = float(analysis.cost.high), float(budget.max_cost.amount)
            return (cost <= limit) != (cost * counts.nominal_examples / counts.examples_processed <= limit)
    return False
