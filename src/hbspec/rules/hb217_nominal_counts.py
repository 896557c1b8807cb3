"""Updates times batch is not what the trainer processes, and a claim or the budget counts on the product.

Why: an epoch rarely ends with a full update. Its last one takes what is left, so a run over several epochs processes
fewer examples than the product says, and the epochs that are reckoned from the product are too many.

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
from hbspec.diagnostics import Finding, NotKnownError, Route, Severity, known
from hbspec.plan import Counts
from hbspec.plan.counts import examples_processed, nominal_examples, optimizer_steps, steps_per_epoch
from hbspec.rules.causes import Beside, at_its_cause, same_route
from hbspec.rules.rule import Rule
from hbspec.units import UnitError, count_text, parse_count, significant

RULE = Rule(__name__, Severity.NOTE, beside=(Beside("HB401", same_route), Beside("HB207", at_its_cause)))
CLAIM: Route = ("expect", "training.examples_processed")
BUDGET: Route = ("budget", "max_cost")
EXAMPLES: Route = ("data", "train", "examples")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Nominal and real counts that differ, where the nominal one is claimed or decides over the budget."""
    plan = analysis.plan
    counts = known(plan.counts, plan.unknown.get("counts", "the counts"))
    if counts.nominal_examples == counts.examples_processed:
        return
    if counts.rows < counts.effective_batch_size:  # HB218 speaks of data below one update
        return
    route = CLAIM if _claims(analysis, counts) else BUDGET if _decides_over_the_budget(analysis, counts) else None
    if route:
        yield RULE.at(
            route,
            f"{count_text(counts.optimizer_steps)} x {count_text(counts.effective_batch_size)}"
            f"{' packed rows, about' if plan.training.packing else ' ='} "
            f"{count_text(counts.nominal_examples)} examples ({significant(counts.nominal_epochs)} epochs) is nominal: "
            f"the last update of an epoch is partial, so {count_text(counts.examples_processed)} "
            f"({significant(counts.epochs)}) are processed",
            f"count on {count_text(counts.examples_processed)} examples",
            cause=EXAMPLES if _whole_with_the_profiles_examples(analysis) else None,
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


def _whole_with_the_profiles_examples(analysis: Analysis) -> bool:
    """Whether both counts agree with the number of examples that the profile has."""
    training, processes = analysis.plan.training, analysis.plan.data_parallel_size
    if analysis.profile is None or processes is None or training.packing:
        return False
    batches = (analysis.profile.examples, training.micro_batch, training.gradient_accumulation, processes)
    steps = optimizer_steps(steps_per_epoch(*batches), training.max_steps, training.epochs)
    effective = training.micro_batch * training.gradient_accumulation * processes
    return examples_processed(steps, *batches) == nominal_examples(steps, effective)
