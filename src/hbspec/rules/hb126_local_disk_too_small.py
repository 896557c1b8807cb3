"""Weights and checkpoints need more than the instance's own disk has.

Why: an instance with NVMe downloads and writes there, and `volume` does not add to it. The weights come in 16 bit even
where they are trained in 4, every checkpoint is kept beside them, and the newest is written before the oldest is
deleted. A full disk ends the job, some after hours.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g5.xlarge, parallelism: single}
    hyperparameters: {lora_r: 64, save_steps: 1, save_total_limit: 300}
    deployment: null

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g5.xlarge, parallelism: single}
    hyperparameters: {lora_r: 64, save_steps: 1, save_total_limit: 3}
    deployment: null

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html
    https://github.com/awslabs/graphstorm/issues/309
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text, interval_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """The verdict over a host's NVMe; volumes have a rule of their own."""
    row = analysis.plan.hardware.instance if analysis.plan.hardware else None
    if row is None or not row.nvme_bytes:
        return
    disk = analysis.storage
    if disk.verdict == "fits":
        return
    certain = disk.verdict == "does_not_fit"
    terms = ", ".join(f"{name} {bytes_text(size.expected)}" for name, size in disk.terms.items())
    yield RULE.at(
        ("instance", "type"),
        f"{terms} {'take' if certain else 'may take'} {interval_text(disk.needed, bytes_text)}; {row.name} has "
        f"{bytes_text(known(disk.capacity, 'its size'))} of NVMe",
        "keep fewer checkpoints" if "checkpoints" in disk.terms else "use a type with a larger disk",
        severity=None if certain else Severity.WARNING,
        confidence=None if certain else Confidence.LIKELY,
    )
