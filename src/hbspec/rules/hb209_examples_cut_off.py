"""Examples longer than the cap: their ends are cut off.

Why: an answer stands at the end of its example, so what is cut is what should be learnt, and the token that ends an
answer with it. The run succeeds, and the model learns not to stop.

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
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)
ROUTE = ("hyperparameters", "max_length")
TILE = 64
"""Caps are rounded up to this many tokens, the tile of the usual attention kernels."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """`max_length` against the longest example, where that is known."""
    cap, lengths = analysis.plan.training.max_length, analysis.plan.lengths
    if lengths.known and lengths.longest.high > cap:
        enough = ceil(lengths.longest.high / TILE) * TILE
        certain = lengths.longest.low > cap
        yield RULE.at(
            ROUTE,
            f"max_length {count_text(cap)} cuts examples: the longest has {'' if certain else 'up to '}"
            f"{count_text(round(lengths.longest.expected if certain else lengths.longest.high))} tokens",
            f"use max_length: {enough}, which cuts nothing",
            confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
            fixes=(Fix(f"change it to {enough}", ROUTE, enough),),
        )
