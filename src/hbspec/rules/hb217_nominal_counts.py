"""Updates times batch is not what the trainer processes.

Why: an epoch rarely ends with a full update. Its last one takes what is left, so a run over several epochs processes
fewer examples than the product says, and the epochs that are reckoned from the product are too many.

Example:

    data: {train: {examples: 100}}
    hyperparameters: {max_steps: 8}

Instead:

    data: {train: {examples: 128}}
    hyperparameters: {max_steps: 8}

References:

    https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py
    https://github.com/deepspeedai/DeepSpeed/issues/3982
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity, known
from hbspec.plan import Counts
from hbspec.rules.rule import Rule
from hbspec.units import UnitError, count_text, parse_count, significant

RULE = Rule(__name__, Severity.NOTE)
CLAIM: Route = ("expect", "training.examples_processed")
TOLERANCE = 0.01
"""The difference that a claim may have: below it the product is close enough, unless it is claimed as a count."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Nominal and real counts that differ by more than a claim may, or of which the nominal one is claimed."""
    plan, given = analysis.plan, analysis.spec.hyperparameters
    counts = known(plan.counts, plan.unknown.get("counts", "the counts"))
    missing = counts.nominal_examples - counts.examples_processed
    if missing == 0 or counts.rows < counts.effective_batch_size:  # HB218 speaks of data below one update
        return
    claimed = _claims(analysis, counts)
    if claimed or abs(missing) > TOLERANCE * counts.nominal_examples:
        key = "max_steps" if given.max_steps is not None else "num_train_epochs"
        yield RULE.at(
            CLAIM if claimed else ("hyperparameters", key),
            f"{count_text(counts.optimizer_steps)} x {count_text(counts.effective_batch_size)}"
            f"{' packed rows, about' if plan.training.packing else ' ='} "
            f"{count_text(counts.nominal_examples)} examples ({significant(counts.nominal_epochs)} epochs) is nominal: "
            f"the last update of an epoch is partial, so {count_text(counts.examples_processed)} "
            f"({significant(counts.epochs)}) are processed",
            f"count on {count_text(counts.examples_processed)} examples",
        )


def _claims(analysis: Analysis, counts: Counts) -> bool:
    """Whether the author claims the nominal number as the number of examples processed."""
    try:
        return parse_count(analysis.spec.expect.get(str(CLAIM[-1]))) == counts.nominal_examples
    except UnitError:
        return False
