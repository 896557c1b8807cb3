"""`max_length` is far above the longest example.

Why: Time and cost depend on the actual lengths, so this cap has no effect. Hardware chosen for it is too large, and a
duration calculated from it is many times too long.

Example:

    hyperparameters: {max_length: 4096}

Instead:

    hyperparameters: {max_length: 704}

References:

    https://huggingface.co/docs/trl/sft_trainer
    https://github.com/huggingface/trl/issues/6668
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity
from hbspec.rules.causes import Beside, same_route
from hbspec.rules.rule import Rule
from hbspec.units import count_text, interval_text

RULE = Rule(__name__, Severity.NOTE, beside=(Beside("HB205", same_route),))
ROUTE = ("hyperparameters", "max_length")
ROOM = 1.5
"""A cap up to this many times the longest example leaves room for data that grows."""
TILE = 64
"""Caps are rounded up to this many tokens, the tile of the usual attention kernels."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `max_length` with the longest example, if known; packed rows are filled to the cap and not judged."""
    training, longest = analysis.plan.training, analysis.plan.lengths.longest
    if training.packing or not analysis.plan.lengths.known or training.max_length <= ROOM * longest.high:
        return
    enough = ceil(longest.high / TILE) * TILE
    if enough < training.max_length:
        yield RULE.at(
            ROUTE,
            f"max_length {count_text(training.max_length)} is never reached: the longest example has "
            f"{interval_text(longest.map(round), count_text)} tokens",
            f"use max_length: {enough}, which truncates nothing",
            confidence=Confidence.CERTAIN if longest.is_exact else Confidence.LIKELY,
            fixes=(Fix(f"change it to {enough}", ROUTE, enough),),
        )
