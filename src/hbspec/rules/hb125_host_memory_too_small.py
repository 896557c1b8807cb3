"""Loading or training needs more host memory than the instance has.

Why: The kernel kills the process, often without a message in its log (exit code -9 or 137), after the weights were
downloaded and paid for. Each process loads its own libraries; full fine-tuning under FSDP makes an fp32 copy of the
model in every process before it is sharded, and offloaded optimizer states take 12 to 24 bytes per trainable parameter.
It is an error if even the low end of the estimate exceeds the host, and a warning if only the high end does.

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
from hbspec.estimators.verdict import Verdict
from hbspec.rules.rule import Rule
from hbspec.showing.moments import DOING
from hbspec.units import bytes_text, gib_text, interval_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the memory needed on one host with what it has."""
    host, section = analysis.host, analysis.spec.instance
    capacity = known(host.capacity, "the host's memory")
    if host.verdict is Verdict.FITS:
        return
    certain = host.verdict is Verdict.DOES_NOT_FIT
    largest = max(host.terms, key=lambda name: host.terms[name].expected).replace("_", " ")
    doing = DOING[host.moment]
    yield RULE.at(
        ("instance", "type" if section.type else "host_memory"),
        f"{doing} {'needs' if certain else 'may need'} {interval_text(host.memory, bytes_text)} of host memory, "
        f"mostly {largest}; the host has {bytes_text(capacity)} ({gib_text(capacity)})",
        "reduce instance.offload"
        if host.moment in ("steps", "save") and analysis.plan.offload != "none"
        else "use a host with more memory",
        severity=Severity.ERROR if certain else Severity.WARNING,
    )
