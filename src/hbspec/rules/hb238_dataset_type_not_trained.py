"""The shipped training script does not train data of this type or layout.

Why: The shipped script trains language modeling (conversations, or texts that are learnt whole) and prompt-completion.
A preference, an unpaired preference, prompts alone and stepwise supervision need another objective than the next token:
your script may train them, with TRL's DPO, KTO, reward or GRPO trainer. Alpaca and ShareGPT are layouts that no trainer
of TRL reads; `hbspec data convert` makes conversations of them. The script refuses such data on the rented instance.

Example:

    data: {type: preference}

Instead:

    data: {type: prompt_completion, format: standard}

References:

    https://huggingface.co/docs/trl/dataset_formats
    https://huggingface.co/docs/trl/sft_trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.shipped_script import DATA_TYPES
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
FOREIGN = {"alpaca": "Alpaca", "sharegpt": "ShareGPT"}


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find types and layouts that the shipped script refuses."""
    data = analysis.spec.data
    if not analysis.spec.shipped:
        return
    if data.type not in DATA_TYPES:
        yield RULE.at(
            ("data", "type"),
            f"data.type is {data.type}, and the shipped script trains {' and '.join(DATA_TYPES)}",
            "name your training script in script.entry_point, or set data.type to one of these",
            instead=DATA_TYPES,
        )
    if data.format in FOREIGN:
        yield RULE.at(
            ("data", "format"),
            f"data.format is {data.format}, and the shipped script does not read {FOREIGN[data.format]}",
            "convert the data with `hbspec data convert`, and delete data.format",
            instead=(None,),
        )
