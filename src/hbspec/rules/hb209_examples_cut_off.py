"""`max_length` cuts off the ends of long examples.

Why: An example ends with its answer, so the truncated part is what should be learned, including the token that ends the
answer. The run succeeds, but the model learns not to stop. A reward model's score is read at the end of a text, so that
RewardTrainer leaves out a pair with a longer one. Updates, time and cost are counted for all pairs, and then too high.

Example:

    hyperparameters: {max_length: 512}

Instead:

    hyperparameters: {max_length: 704}

References:

    https://github.com/huggingface/trl/issues/6668
    https://github.com/huggingface/trl/pull/6025
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity
from hbspec.plan import Lengths
from hbspec.rules.rule import Rule
from hbspec.units import Interval, count_text, interval_text

RULE = Rule(__name__, Severity.WARNING)
ROUTE = ("hyperparameters", "max_length")
TILE = 64
"""Caps are rounded up to this many tokens, the tile of the usual attention kernels."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `max_length` with the longest example, if known."""
    cap, lengths = analysis.plan.training.max_length, analysis.plan.lengths
    if lengths.known and lengths.longest.high > cap:
        enough = ceil(lengths.longest.high / TILE) * TILE
        certain = lengths.longest.low > cap
        longest = lengths.longest.expected if certain else lengths.longest.high
        yield RULE.at(
            ROUTE,
            f"max_length {count_text(cap)} {_what_happens(analysis, lengths, cap)}: the longest has "
            f"{'' if certain else 'up to '}{count_text(round(longest))} tokens",
            f"use max_length: {enough}, which {'leaves nothing out' if _leaves_out(analysis) else 'truncates nothing'}",
            confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
            fixes=(Fix(f"change it to {enough}", ROUTE, enough),),
        )


def _leaves_out(analysis: Analysis) -> bool:
    """Whether the task's trainer drops what is too long, instead of cutting it (TRL 1.16, `reward_trainer.py`)."""
    return analysis.spec.task == "reward"


def _what_happens(analysis: Analysis, lengths: Lengths, cap: int) -> str:
    if not _leaves_out(analysis):
        return f"truncates {_how_many(lengths, cap)}"
    if lengths.histograms is None:
        return "leaves out pairs"
    longer = Interval(*(float(histogram.above(cap)) for histogram in lengths.histograms))
    return f"leaves out the pairs of {interval_text(longer, count_text)} longer texts"


def _how_many(lengths: Lengths, cap: int) -> str:
    """The examples cut and the tokens that they lose; without a histogram only the noun."""
    if lengths.histograms is None:
        return "examples"
    low, expected, high = lengths.histograms
    cut = Interval(*(float(histogram.above(cap)) for histogram in lengths.histograms))
    lost = Interval(low.lost(cap), expected.lost(cap), high.lost(cap))
    return (
        f"{interval_text(cut, count_text)} of {count_text(expected.size)} examples, "
        f"{interval_text(lost, count_text)} tokens in all"
    )
