"""KTO estimates a divergence from mismatched answers, and a micro-batch has only one example.

Why: The loss `kto` compares each answer with that of the example before it in the micro-batch. Of one example that is
its own answer, and TRL refuses to start. `apo_zero_unpaired` needs no such estimate.

Example:

    task: kto
    data: {type: unpaired_preference}

Instead:

    task: kto
    data: {type: unpaired_preference}
    hyperparameters: {per_device_batch_size: 2, gradient_accumulation_steps: 2}

References:

    https://huggingface.co/docs/trl/kto_trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.objective import KL
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a micro-batch of one example under the loss `kto`."""
    training = analysis.plan.training
    if training.objective.task == "kto" and training.objective.loss_type == KL and training.micro_batch < 2:
        yield RULE.at(
            ("hyperparameters", "per_device_batch_size"),
            f"per_device_batch_size is {training.micro_batch}, and loss_type kto needs at least 2",
            "set per_device_batch_size to at least 2, and divide gradient_accumulation_steps by as much",
            instead=(2, Fix("", ("hyperparameters", "loss_type"), "apo_zero_unpaired")),
        )
