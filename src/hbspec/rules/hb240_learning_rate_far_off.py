"""`learning_rate` is far outside the rates that models are fine-tuned at.

Why: A rate that is a hundred times too high destroys the model within a few updates; at one that is a hundred times
too low, the model stays as it was. Either run looks normal until its result is tried. Adapters take about ten times
the rate of a full fine-tune, and a small model more than a large one. Public recipes lie within the limits: all weights
of 360M parameters at 1e-3 (alignment-handbook), of 7B at 1e-5 (LLaMA-Factory) to 2e-4 (LitGPT); adapters at 3e-6
(axolotl's Phi), 2e-4 (unsloth) and 1e-3 (PEFT). Optimizers whose updates grow with the gradient, such as SGD, are not
judged.

Example:

    hyperparameters: {learning_rate: 0.2}

Instead:

    hyperparameters: {learning_rate: 2e-4}

References:

    https://github.com/huggingface/alignment-handbook/blob/main/recipes/smollm/sft/config.yaml
    https://github.com/Lightning-AI/litgpt/blob/main/config_hub/finetune/llama-2-7b/full.yaml
    https://github.com/axolotl-ai-cloud/axolotl/blob/main/examples/phi/phi-qlora.yml
    https://huggingface.co/docs/trl/main/en/lora_without_regret
    https://github.com/OpenNMT/OpenNMT-tf/issues/744
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.catalog.parameters import total_parameters
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


class Rates(NamedTuple):
    """The lowest and the highest rate that is not questioned, and one to start with."""

    lowest: float
    highest: float
    usual: str


SMALL = 2.5e9
"""Parameters below which all weights are trained at higher rates: SmolLM2 1.7B at 3e-4, SmolLM 360M at 1e-3."""
ADAPTERS = Rates(2e-6, 5e-3, "1e-4")
"""Inside: axolotl's Phi QLoRA at 3e-6, LLaMA-Factory at 1e-4, TRL and unsloth at 2e-4, PEFT's examples at 1e-3."""
FULL = Rates(1e-7, 3e-4, "1e-5")
"""Inside: LLaMA-Factory at 1e-5, Alpaca at 2e-5, LitGPT's Llama 2 7B at 2e-4."""
FULL_OF_SMALL = Rates(1e-7, 3e-3, "1e-4")
"""Inside: SmolLM 360M at 1e-3."""
JUDGED = ("adamw", "adafactor", "paged_adamw", "ademamix", "paged_ademamix", "stable_adamw", "lion", "paged_lion")
"""How the names of optimizers begin whose updates are about as large as the rate; SGD's grow with the gradient."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `learning_rate` with the limits of the method; a model of unknown size may be a small one."""
    training, rate = analysis.plan.training, analysis.spec.hyperparameters.learning_rate
    if not training.optim.startswith(JUDGED):
        return
    architecture = analysis.plan.architecture
    size = total_parameters(architecture) if architecture is not None else None
    rates = ADAPTERS if training.adapters else FULL if size is not None and size >= SMALL else FULL_OF_SMALL
    if rates.lowest <= rate <= rates.highest:
        return
    trained = f"{training.method} training" + (f" of {count_text(size)} parameters" if size is not None else "")
    off, limit = ("above", rates.highest) if rate > rates.highest else ("below", rates.lowest)
    yield RULE.at(
        ("hyperparameters", "learning_rate"),
        f"learning_rate is {rate:g}, {off} {limit:g}, for {trained}",
        f"use learning_rate: {rates.usual}",
        instead=(float(rates.usual),),
    )
