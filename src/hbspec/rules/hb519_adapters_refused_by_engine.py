"""The serving engine refuses adapters of this kind.

Why: vLLM checks an adapter's configuration when it loads it: modules that were trained in full beside the adapters
(`modules_to_save`), the magnitudes of DoRA and trained biases are refused, and so is a largest rank that is not in its
list. Full fine-tuning makes no adapters. All of this shows after the training was paid for. LMI serves with the same
vLLM. A script of your own can merge such adapters into the weights.

Example:

    hyperparameters: {use_dora: true}

Instead:

    hyperparameters: {use_dora: false}

References:

    https://github.com/vllm-project/vllm/blob/v0.30.0/vllm/lora/peft_helper.py
    https://github.com/vllm-project/vllm/blob/v0.30.0/vllm/config/lora.py
    https://github.com/vllm-project/vllm/issues/9280
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.engines import lora_ranks, refused_adapters
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
OTHERWISE = {
    "use_dora": "set use_dora: false",
    "modules_to_save": "remove modules_to_save",
    "bias": "train no biases",
}
RANK = ("deployment", "max_lora_rank")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for adapters that are served beside the base model; merged ones are not loaded."""
    section, given = analysis.spec.deployment, analysis.spec.hyperparameters
    if section is None:
        return
    if given.method == "full" and section.adapters == "separate":
        yield RULE.at(
            ("deployment", "adapters"),
            "deployment.adapters is separate, but full training makes no adapters",
            "set deployment.adapters: merged",
            instead=("merged", None),
        )
    if analysis.serving_plan.adapters != "separate":
        return
    for name in refused_adapters():
        value = getattr(given, name, None)
        if value:
            shown = ", ".join(value) if isinstance(value, tuple) else str(value).lower()
            yield RULE.at(
                ("hyperparameters", name),
                f"{name} is {shown}, but vLLM refuses adapters with it",
                f"{OTHERWISE[name]}, or merge the adapters in your own script",
            )
    rank = section.max_lora_rank
    if rank is not None and rank not in lora_ranks():
        larger = next((one for one in lora_ranks() if one >= rank), lora_ranks()[-1])
        listed = ", ".join(map(str, lora_ranks()))
        fix = Fix(f"set max_lora_rank to {larger}", RANK, larger)
        yield RULE.at(
            RANK,
            f"max_lora_rank is {rank}, which is not one of vLLM's {listed}",
            f"set max_lora_rank to {larger}",
            fixes=(fix,),
        )
