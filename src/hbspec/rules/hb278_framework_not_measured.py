"""Another framework trains: its estimates are those of the trainer that it derives from.

Why: hbspec runs the steps of the trainers of transformers and TRL over shapes, and measurements confirm those. For
another framework it takes that framework's defaults, each with its source in `hbspec estimate`, and the trainer
underneath; it counts none of the framework's own kernels, samplers and patches. Counts of updates hold where the
framework deals out its data as the trainer does. Memory, time and cost rest on belief.

Example:

    software: {trainer: axolotl}
    hyperparameters: {gradient_checkpointing: true}

Instead:

    software: {trainer: null}
    hyperparameters: {gradient_checkpointing: true}

References:

    https://docs.axolotl.ai/docs/config-reference.html
    https://github.com/hiyouga/LLaMA-Factory
    https://docs.unsloth.ai
    https://docs.pytorch.org/torchtune
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.plan.tasks import TASKS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.NOTE, Confidence.LIKELY)

STEPS: Mapping[str, str] = {"transformers": "transformers.Trainer", "trl": "TRL's SFTTrainer", "loop": "a plain loop"}

LEFT_OUT: Mapping[str, str] = {
    "axolotl": "its multipack sampler, padding to multiples of 64 and its kernels",
    "llamafactory": "its padding to multiples of 8 and its patches",
    "torchtune": "its own model, its NF4 of torchao and torch.compile",
    "unsloth": "its kernels and its offload of layer inputs, which need less memory",
    "other": "whatever it does otherwise",
}
"""What is not counted of each."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Say what the estimates of another framework rest on."""
    training = analysis.plan.training
    if training.framework is None:
        return
    task = TASKS[analysis.spec.task]
    steps = STEPS.get(training.trainer) if task.next_token else f"TRL's {task.trainer}"
    if steps is None or (not task.next_token and training.trainer != "trl"):  # nothing is estimated, which HB270 says
        return
    yield RULE.at(
        ("software", "trainer"),
        f"trainer is {training.framework}: memory, time and cost are those of {steps} with its defaults, and do not "
        f"count {LEFT_OUT[training.framework]}",
        "compare with a measured step, and set calibration.tokens_per_second_per_gpu",
    )
