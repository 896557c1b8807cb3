"""`data.validation.share` leaves nothing to train on.

Why: The script holds out at least one example, and a fraction counts as one more. Of very few examples, a large share
is all of them; the script then refuses to start.

Example:

    data: {train: {examples: 1}, validation: {uri: null, examples: null, share: 0.5}}
    hyperparameters: {max_steps: 1}

Instead:

    data: {validation: {uri: null, examples: null, share: 0.2}}

References:

    https://huggingface.co/docs/datasets/process#split
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.splits import all_examples, split_examples
from hbspec.rules.rule import Rule
from hbspec.units import counted

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a share that is all of the training data."""
    spec, profile = analysis.spec, analysis.profile
    examples, split = all_examples(spec, profile), spec.data.validation
    share = split.share if split is not None else None
    if share is not None and examples is not None and split_examples(spec, profile)[0] == 0:
        yield RULE.at(
            ("data", "validation", "share"),
            f"data.validation.share of {share:g} holds out all of {counted(examples, 'example')}",
            "set a smaller share, or give more data",
            instead=(None,),
        )
