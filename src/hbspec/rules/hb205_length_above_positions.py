"""The sequence length exceeds the model's positions.

Why: Beyond `max_position_embeddings` the model never saw the rotary angles in training. Fine-tuning runs, since
transformers computes the angles of any position, but learns the longer ones from scratch: a warning. A serving engine
refuses to start: an error. In packed rows, positions begin again with each example, except under the strategy
`wrapped`: the longest example counts, unless a row is above 8 times the positions.

Example:

    model: {id: unsloth/gemma-2-9b}
    hyperparameters: {attn_implementation: eager}
    deployment: {max_model_len: 16384}

Instead:

    model: {id: unsloth/gemma-2-9b}
    hyperparameters: {attn_implementation: eager}
    deployment: {max_model_len: 8192}

References:

    https://github.com/unslothai/unsloth/issues/406
    https://github.com/unslothai/unsloth/issues/3083
    https://docs.vllm.ai/en/latest/configuration/engine_args.html
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.ERROR)
PACKED = 8
"""Times the positions, above which even packed rows are a slip. Axolotl's TinyLlama packs 2 times, its example of ALST
3.8 times (500,000 tokens)."""
USUAL_LENGTH = 1024
"""Default of `SFTConfig.max_length` (TRL 1.16)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `hyperparameters.max_length` and `deployment.max_model_len` with the model's positions."""
    spec = analysis.spec
    positions = analysis.plan.require("architecture").max_position_embeddings
    lengths: list[tuple[Route, int | None]] = [(("hyperparameters", "max_length"), _trained(analysis, positions))]
    if spec.deployment:
        lengths.append((("deployment", "max_model_len"), spec.deployment.max_model_len))
    for route, length in lengths:
        if length is not None and length > positions:
            trains = route[0] == "hyperparameters"
            yield RULE.at(
                route,
                f"{route[-1]} {count_text(length)} exceeds the model's {count_text(positions)} positions",
                f"set {route[-1]} to at most {positions}",
                severity=Severity.WARNING if trains else Severity.ERROR,
                instead=(positions, min(positions, USUAL_LENGTH)),
            )


def _trained(analysis: Analysis, positions: int) -> int | None:
    """The most positions of a row; None for packed rows of examples whose lengths are not known."""
    training, lengths = analysis.plan.training, analysis.plan.lengths
    begins_again = training.packing and training.packing_strategy != "wrapped"
    if not begins_again or training.max_length > PACKED * positions:
        return training.max_length
    return min(training.max_length, ceil(lengths.longest.low)) if lengths.known else None
