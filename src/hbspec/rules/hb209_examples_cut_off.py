"""`max_length` cuts off the ends of long examples.

Why: An example ends with its answer, so the truncated part is what should be learned, including the token that ends the
answer. The run succeeds, but the model learns not to stop. A reward model's score is read at the end of a text, so that
RewardTrainer leaves out a pair with a longer one, and updates are counted for those that are left. Where the shipped
script runs GRPO, it leaves out a prompt that has no room beside `max_completion_length`.

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
from hbspec.plan.lengths import Spread, known_lengths
from hbspec.rules.rule import Rule
from hbspec.units import Interval, count_text, interval_text

RULE = Rule(__name__, Severity.WARNING)
ROUTE = ("hyperparameters", "max_length")
TILE = 64
"""Caps are rounded up to this many tokens, the tile of the usual attention kernels."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `max_length` with the longest example, if known."""
    plan, lengths = analysis.plan, analysis.plan.lengths
    cap = plan.training.max_length
    if plan.training.rollouts is not None:
        yield from _prompts(analysis, cap, plan.training.rollouts.completion)
    elif lengths.known and lengths.longest.high > cap:
        action, fixes = _longer_cap(analysis, cap, ceil(lengths.longest.high / TILE) * TILE)
        certain = lengths.longest.low > cap
        longest = lengths.longest.expected if certain else lengths.longest.high
        yield RULE.at(
            ROUTE,
            f"max_length {count_text(cap)} {_what_happens(lengths, cap)}: the longest has "
            f"{'' if certain else 'up to '}{count_text(round(longest))} tokens",
            action,
            confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
            fixes=fixes,
        )


def _longer_cap(analysis: Analysis, cap: int, enough: int) -> tuple[str, tuple[Fix, ...]]:
    """The help and its fix: the cap that all examples fit under, unless the model has not as many positions."""
    positions = analysis.architecture.max_position_embeddings if analysis.architecture else enough
    if enough > positions:
        longest = f"the model has {count_text(positions)} positions"
        raised = f", and set max_length to {positions}" if cap < positions else ""
        return f"{longest}: split longer examples{raised}", ()
    what = "leaves nothing out" if analysis.plan.lengths.left_out else "truncates nothing"
    return f"use max_length: {enough}, which {what}", (Fix(f"change it to {enough}", ROUTE, enough),)


def _prompts(analysis: Analysis, cap: int, completion: int) -> Iterator[Finding]:
    """Prompts that the shipped script leaves out, by what is known of their lengths."""
    plan, prompts = analysis.plan, known_lengths(analysis.spec, analysis.profile)
    if plan.kept.low == 1 or prompts is None or cap <= completion:
        return
    room = count_text(cap - completion)
    enough = ceil((prompts.longest.high + completion) / TILE) * TILE
    beside = f"{room} tokens beside max_completion_length {count_text(completion)}"
    if prompts.histograms is None:
        certain = prompts.longest.low > cap - completion
        longest = f"{'' if certain else 'up to '}{count_text(round(prompts.longest.high))}"
        what = f"leaves out prompts: the longest has {longest} tokens, and there is room for {beside}"
    else:
        certain = plan.kept.high < 1
        left = interval_text(_longer(prompts.histograms, cap - completion), count_text)
        what = f"leaves out {left} of {count_text(prompts.histograms[1].size)} prompts, longer than the {beside}"
    yield RULE.at(
        ROUTE,
        f"max_length {count_text(cap)} {what}",
        f"use max_length: {enough}, which leaves nothing out",
        severity=Severity.ERROR if plan.kept.high == 0 else Severity.WARNING,
        confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
        fixes=(Fix(f"change it to {enough}", ROUTE, enough),),
    )


def _what_happens(lengths: Lengths, cap: int) -> str:
    """The pairs left out, or the examples cut and the tokens that they lose; without a histogram only the noun."""
    if lengths.histograms is None:
        return "leaves out pairs" if lengths.left_out else "truncates examples"
    low, expected, high = lengths.histograms
    size = count_text(expected.size)
    longer = interval_text(_longer(lengths.histograms, cap), count_text)
    if lengths.left_out:
        return f"leaves out {longer} of {size} pairs"
    lost = Interval(low.lost(cap), expected.lost(cap), high.lost(cap))
    return f"truncates {longer} of {size} examples, {interval_text(lost, count_text)} tokens in all"


def _longer(histograms: Spread, cap: int) -> Interval:
    return Interval(*(float(histogram.above(cap)) for histogram in histograms))
