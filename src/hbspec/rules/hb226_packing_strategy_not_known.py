"""`packing_strategy` is not one of the strategies of this version of TRL.

Why: TRL renamed and added strategies: `ffd` exists in 0.19 only, `bfd` since 0.20, `bfd_split` since 1.0. A version
fails on a strategy that it does not know when the data are packed, after the model was loaded.

Example:

    hyperparameters: {packing: true, packing_strategy: ffd}

Instead:

    hyperparameters: {packing: true, packing_strategy: bfd}

References:

    https://huggingface.co/docs/trl/sft_trainer#trl.SFTConfig
    https://github.com/huggingface/trl/blob/v0.20.0/trl/data_utils.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.epochs import packing_strategies
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "packing_strategy")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up `packing_strategy` among those of TRL's version."""
    training = analysis.plan.training
    trl = dict(training.software)["trl"]
    known, given = packing_strategies(trl), training.packing_strategy
    if given is None or given in known or training.trainer != "trl":  # another framework packs by itself
        return
    yield RULE.at(
        ROUTE,
        f"TRL {trl} does not know packing_strategy {given}; it knows {', '.join(known)}",
        f"use packing_strategy: {known[0]}",
        fixes=(Fix(f"change it to {known[0]}", ROUTE, known[0]),),
    )
