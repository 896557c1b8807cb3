"""Training needs more memory than the GPU has.

Why: The job fails with an out-of-memory error, after the instance was waited for, the weights were downloaded and all
of that was paid for. It is an error if even the low end of the estimate exceeds the GPU, and a warning if only the high
end does.

Example:

    model: {id: Qwen/Qwen2.5-72B}
    instance: {type: ml.p4d.24xlarge}

Instead:

    model: {id: Qwen/Qwen2.5-72B}
    instance: {type: ml.p4de.24xlarge}

References:

    https://huggingface.co/docs/transformers/model_memory_anatomy
    https://github.com/huggingface/peft/issues/1844
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.estimators.verdict import Verdict
from hbspec.plan import Plan
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text, gib_text, interval_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)
NAMED_TERMS = 3
"""Terms of the estimate that a message names."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the memory of the fullest GPU with what is usable."""
    plan, memory = analysis.plan, analysis.memory
    machine = plan.require("hardware")
    usable = known(machine.gpu.usable_bytes, f"the usable memory of the {machine.gpu.name}")
    if memory.verdict is Verdict.FITS:
        return
    fullest, certain = memory.fullest, memory.verdict is Verdict.DOES_NOT_FIT
    largest = sorted(fullest.terms.items(), key=lambda term: -term[1])[:NAMED_TERMS]
    terms = ", ".join(f"{name.replace('_', ' ')} {bytes_text(size)}" for name, size in largest)
    place = f"GPU {fullest.index}" if len(memory.devices) > 1 and plan.parallelism == "pipeline" else "a GPU"
    needed = interval_text(fullest.process, bytes_text)
    yield RULE.at(
        ("instance", "type" if analysis.spec.instance.type else "gpu"),
        f"training {'needs' if certain else 'may need'} {needed} on {place}, mostly {terms}; "
        f"{bytes_text(usable)} ({gib_text(usable)}) of the {machine.gpu.name} is usable",
        _action(plan),
        severity=Severity.ERROR if certain else Severity.WARNING,
    )


def _action(plan: Plan) -> str:
    """The cheapest change that reduces memory."""
    if not plan.training.gradient_checkpointing:
        return "use gradient_checkpointing: true"
    if plan.training.micro_batch > 1:
        return "reduce per_device_batch_size, and raise gradient_accumulation_steps to match"
    if plan.training.method == "full":
        return "use method: lora"
    if plan.training.method == "lora" and plan.architecture and not plan.architecture.is_sparse:
        return "use method: qlora"
    if plan.parallelism == "ddp" and plan.processes != 1:
        return "use parallelism: fsdp, which shards the weights over the GPUs"
    return "use a GPU with more memory"
