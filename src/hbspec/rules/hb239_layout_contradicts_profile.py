"""The data that were profiled are of another dataset type or format than the spec says.

Why: `hbspec data profile` recognises the layout of the examples, and the job reads the layout that the spec names.
Where they differ, the job refuses every example, after the instance has started and the data are downloaded.

Example:

    data: {tokens: null, profile: ./pairs.profile.json, train: {examples: 1758}}

Instead:

    data:
      type: prompt_completion
      format: standard
      tokens: null
      profile: ./pairs.profile.json
      train: {examples: 1758}

References:

    https://huggingface.co/docs/trl/dataset_formats
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
FORMATS = {"messages": "conversational", "alpaca": "", "sharegpt": ""}
"""Formats of a profile by those of a spec, where they are spelt otherwise."""
FOREIGN = {"alpaca": "Alpaca", "sharegpt": "ShareGPT"}
"""Types of a profile by formats of a spec that are not TRL's."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `data.type` and `data.format` with the profile of the training split."""
    profile, data = analysis.profile, analysis.spec.data
    if profile is None:
        return
    named = FOREIGN.get(data.format, data.type), FORMATS.get(data.format, data.format)
    if named == profile.layout:
        return
    kind, written = profile.layout
    if not written:
        said, action = f"{kind} data", "convert the data with `hbspec data convert`, and profile them again"
    else:
        said, action = f"{kind} ({written})", f"set data.type: {kind} and data.format: {written}, or profile other data"
    yield RULE.at(
        ("data", "type") if named[0] != kind else ("data", "format"),
        f"data.type is {data.type} and data.format is {data.format}, but the profile is of {said}",
        action,
        instead=(Fix("", ("data", "profile"), None),),
    )
