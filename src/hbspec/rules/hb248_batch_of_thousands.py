"""An update takes thousands of examples, or most of a small data set.

Why: Fine-tuning data are small: with thousands of examples an update, an epoch has a handful of updates, of which the
warm-up takes several, and the model is hardly changed for the price of the whole run. Public recipes take 8 to 512
examples an update. Often a batch size was multiplied twice by the number of GPUs, or by the accumulation.

Example:

    data: {train: {examples: 1000000}}
    hyperparameters: {max_steps: 100, gradient_accumulation_steps: 1024, save_steps: 10}
    instance: {max_runtime: null}
    budget: null

Instead:

    data: {train: {examples: 1000000}}
    hyperparameters: {max_steps: 100, gradient_accumulation_steps: 16, save_steps: 10}
    instance: {max_runtime: null}
    budget: null

References:

    https://github.com/huggingface/alignment-handbook/tree/main/recipes
    https://huggingface.co/docs/trl/main/en/lora_without_regret
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.plan import Counts
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule
from hbspec.units import count_text, counted


def is_of_one_gpu(own: Finding, _other: Finding) -> bool:
    """Whether the micro-batch is what is too large."""
    return own.route[-1] == "per_device_batch_size"


RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY, beside=(Beside("HB109", is_of_one_gpu),))
MOST = 4096
"""Eight times the 512 of large instruction tuning."""
USUAL = 512
"""Above, an epoch of `FEW` updates is not that of a small data set, but that of too large a batch."""
FEW = 10


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the effective batch with the limit; the larger of its two factors is called wrong."""
    plan, given = analysis.plan, analysis.spec.hyperparameters
    batch = plan.require("effective_batch_size")
    counts = plan.counts
    few = counts is not None and counts.steps_per_epoch < FEW and batch > USUAL
    if batch <= MOST and not few:
        return
    micro, accumulated = given.per_device_batch_size, given.gradient_accumulation_steps
    key = "gradient_accumulation_steps" if accumulated >= micro else "per_device_batch_size"
    ranks = batch // (micro * accumulated)
    yield RULE.at(
        ("hyperparameters", key),
        f"an update takes {count_text(micro)} x {count_text(accumulated)} x {count_text(ranks)} "
        f"= {count_text(batch)} examples, " + _compared(counts if few else None),
        f"reduce {key}",
        instead=_smaller(analysis, micro * ranks) if accumulated >= micro else (),
    )


def _compared(counts: Counts | None) -> str:
    """The limit, or the updates of an epoch where these are few."""
    if counts is None:
        return f"more than {count_text(MOST)}"
    return f"which leaves {counted(counts.steps_per_epoch, 'update')} an epoch of {count_text(counts.rows)} rows"


def _smaller(analysis: Analysis, examples: int) -> tuple[int, ...]:
    """Values for `gradient_accumulation_steps`, given the examples of one: that of a claimed batch, and usual ones."""
    claimed = analysis.spec.expect.get("training.effective_batch_size", "")
    meant = (int(claimed) // examples,) if claimed.isdecimal() else ()
    return tuple(dict.fromkeys(max(1, value) for value in (*meant, 128 // examples, 1)))
