"""The sequence length exceeds the model's positions.

Why: Beyond `max_position_embeddings` the model never saw the rotary angles in training. Fine-tuning runs, since
transformers computes the angles of any position, but learns the longer ones from scratch: a warning. A serving engine
refuses to start: an error. In packed rows, positions begin again with each example, except under the strategy
`wrapped`: the longest example counts, unless a row is above 8 times the positions. Where nothing is cut, a row is the
longest example; in GRPO, it is the longest prompt with `max_completion_length`.

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
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.ERROR)
PACKED = 8
"""Times the positions, above which even packed rows are a slip. Axolotl's TinyLlama packs 2 times, its example of ALST
3.8 times (500,000 tokens)."""
USUAL_LENGTH = 1024
"""Default of `SFTConfig.max_length` (TRL 1.16)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the longest row of a training and `deployment.max_model_len` with the model's positions."""
    deployment = analysis.spec.deployment
    positions = analysis.plan.require("architecture").max_position_embeddings
    trained = _trained(analysis, positions)
    if trained is not None and trained > positions:
        yield _said(analysis, trained, positions)
    if deployment is not None and deployment.max_model_len is not None and deployment.max_model_len > positions:
        yield _above("deployment", "max_model_len", deployment.max_model_len, positions, Severity.ERROR)


def _said(analysis: Analysis, trained: int, positions: int) -> Finding:
    """Of the longest row, by what the author wrote: the cap, no cap, or the length of completions."""
    training = analysis.plan.training
    if training.rollouts is not None and not (training.capped and analysis.spec.shipped):
        return _completed(training.rollouts.completion, trained, positions)
    if training.capped:
        return _above("hyperparameters", "max_length", trained, positions, Severity.WARNING)
    return RULE.at(
        ("hyperparameters", "max_length"),
        f"max_length is none, and the longest example, {count_text(trained)} tokens, exceeds the model's "
        f"{count_text(positions)} positions",
        f"set max_length to at most {positions}",
        severity=Severity.WARNING,
        instead=(positions, min(positions, USUAL_LENGTH)),
    )


def _completed(completion: int, trained: int, positions: int) -> Finding:
    """Of a prompt and its completion, which nothing cuts."""
    prompt, room = trained - completion, positions - completion
    if room > 0:
        what = f"a prompt of {count_text(prompt)} tokens with max_completion_length {count_text(completion)} exceeds"
    else:
        what = f"max_completion_length {count_text(completion)} leaves no room for a prompt in"
    most = positions - prompt if prompt < positions else positions // 2
    return RULE.at(
        ("hyperparameters", "max_completion_length"),
        f"{what} the model's {count_text(positions)} positions",
        f"set max_completion_length to at most {most}",
        severity=Severity.WARNING,
        instead=(most,),
    )


def _above(section: str, key: str, length: int, positions: int, severity: Severity) -> Finding:
    return RULE.at(
        (section, key),
        f"{key} {count_text(length)} exceeds the model's {count_text(positions)} positions",
        f"set {key} to at most {positions}",
        severity=severity,
        instead=(positions, min(positions, USUAL_LENGTH)),
    )


def _trained(analysis: Analysis, positions: int) -> int | None:
    """The most positions of a row; None for packed rows of examples whose lengths are not known."""
    training, lengths = analysis.plan.training, analysis.plan.lengths
    begins_again = training.packing and training.packing_strategy != "wrapped"
    if not begins_again or training.max_length > PACKED * positions:
        return training.max_length
    return min(training.max_length, ceil(lengths.longest.low)) if lengths.known else None
