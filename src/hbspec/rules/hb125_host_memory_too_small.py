"""Loading or training needs more memory of the host than it has.

Why: the kernel kills the process, often without a word in its log (exit code -9 or 137), after the weights were
downloaded and all of it was paid for. Each process has its own libraries; full fine-tuning under FSDP makes an fp32
copy of the model in every process before it is sharded, and offloaded optimizer states take 12 to 24 bytes a trained
parameter. An error where even the low end of the estimate is too much, a warning where the high end is.

Example:

    instance: {type: null, gpu: A100-40, gpus: 8, host_memory: 32 GiB}

Instead:

    instance: {type: null, gpu: A100-40, gpus: 8, host_memory: 256 GiB}

References:

    https://github.com/deepspeedai/DeepSpeedExamples/issues/498
    https://github.com/huggingface/transformers/pull/25107
    https://deepspeed.readthedocs.io/en/latest/memory.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text, gib_text, interval_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """The verdict over one host."""
    host, section = analysis.host, analysis.spec.instance
    capacity = known(host.capacity, "the host's memory")
    if host.verdict == "fits":
        return
    certain = host.verdict == "does_not_fit"
    largest = max(host.terms, key=lambda name: host.terms[name].expected).replace("_", " ")
    doing = "loading the model" if host.moment == "load" else "training"
    yield RULE.at(
        ("instance", "type" if section.type else "host_memory"),
        f"{doing} {'needs' if certain else 'may need'} {interval_text(host.memory, bytes_text)} of the host's memory, "
        f"most of it {largest}; it has {bytes_text(capacity)} ({gib_text(capacity)})",
        "use less offload" if host.moment == "steps" and analysis.plan.offload != "none" else "use a larger host",
        severity=Severity.ERROR if certain else Severity.WARNING,
    )
