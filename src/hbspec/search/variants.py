"""What may be trained otherwise, where the author allows it: each change says what is different about the result."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import ceil

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change, Settings
from hbspec.analysis.changes import EIGHT_BIT_ADAMW, IN_FLOAT16, WITH_STATES_IN_FULL, in_16_bits, leaner_methods
from hbspec.plan import Plan
from hbspec.search.request import Request

NOTHING = Change("", {})

SHARES_CUT = (0.01, 0.05)
"""Shares of the examples that a shorter `max_length` may cut, where lengths may change."""

TILE = 64
"""Lengths are multiples of this many tokens, as those that rules recommend."""


def variants(analysis: Analysis, request: Request) -> list[Change]:
    """Every combination of what may be trained otherwise, the first of which changes nothing.

    precision: float16 instead of bfloat16. optimizer: AdamW with states of 8 bits. quantization: fewer or more bits of
    frozen weights. length: rows up to the longest example, and rows that cut some of them, which are counted.
    """
    kinds = {
        "precision": _precisions,
        "optimizer": _optimizers,
        "quantization": _quantizations,
        "length": _lengths,
    }
    asked = [[NOTHING, *make(analysis)] for kind, make in kinds.items() if kind in request.allow]
    return [_together(chosen) for chosen in product(*asked)]


def _together(changes: tuple[Change, ...]) -> Change:
    found = NOTHING
    for change in changes:
        found = change.after(found) if change.settings else found
    return found


def _precisions(analysis: Analysis) -> Iterator[Change]:
    if analysis.plan.training.compute_dtype == "bfloat16":
        settings: Settings = {("hyperparameters", "bf16"): None, ("hyperparameters", "fp16"): True}
        yield Change("precision", settings, IN_FLOAT16)


def _optimizers(analysis: Analysis) -> Iterator[Change]:
    if analysis.plan.training.optim in WITH_STATES_IN_FULL:
        remark = "optimizer states are rounded to 8 bits"
        yield Change("optimizer", {("hyperparameters", "optim"): EIGHT_BIT_ADAMW}, remark)


def _quantizations(analysis: Analysis) -> Iterator[Change]:
    plan = analysis.plan
    if plan.training.quantization:
        yield in_16_bits(analysis.spec)
    if plan.training.adapters:  # other methods train other parameters
        yield from leaner_methods(plan)


def _lengths(analysis: Analysis) -> Iterator[Change]:
    plan = analysis.plan
    if not plan.lengths.known:
        return
    now, longest = plan.training.max_length, ceil(plan.lengths.longest.high)
    shorter = dict.fromkeys((longest, *_cutting(plan)))
    for length in shorter:
        if length < now:
            yield Change("length", {("hyperparameters", "max_length"): length}, _cut(plan, length))


def _cutting(plan: Plan) -> Iterator[int]:
    """The shortest lengths, in whole tiles, that cut no more than a share of the examples."""
    histograms = plan.lengths.histograms
    if histograms is None:
        return
    most = histograms[2]
    for share in SHARES_CUT:
        rank = max(1, ceil((1 - share) * most.size))
        yield ceil(most.at(rank) / TILE) * TILE


def _cut(plan: Plan, length: int) -> str:
    """What a length cuts, at most."""
    if length >= plan.lengths.longest.high or plan.lengths.histograms is None:
        return "no pair is left out" if plan.lengths.left_out else "no example is truncated"
    most = plan.lengths.histograms[2]
    if plan.lengths.left_out:
        return f"leaves out up to {most.above(length):,} of {most.size:,} pairs"
    return f"truncates up to {most.above(length):,} of {most.size:,} examples, {most.lost(length):,} tokens in all"
