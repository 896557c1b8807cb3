"""The instance's local disk is too small for the weights and checkpoints.

Why: An instance with NVMe downloads and writes there, and `volume` does not add to it. The weights are downloaded in 16
bit even where they are trained in 4 bit; every checkpoint that is kept needs space, and the newest is written before
the oldest is deleted. A full disk ends the job, sometimes after hours.

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
from hbspec.estimators.verdict import Verdict
from hbspec.rules.checkpoints import SAVE_TOTAL_LIMIT, USUAL, fill_the_disk
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text, interval_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare a host's NVMe with what it must hold; HB114 judges volumes."""
    row = analysis.plan.hardware.instance if analysis.plan.hardware else None
    if row is None or not row.nvme_bytes:
        return
    disk = analysis.storage
    if disk.verdict is Verdict.FITS:
        return
    certain = disk.verdict is Verdict.DOES_NOT_FIT
    terms = ", ".join(f"{name} {bytes_text(size.expected)}" for name, size in disk.terms.items())
    many = fill_the_disk(analysis)
    yield RULE.at(
        SAVE_TOTAL_LIMIT if many else ("instance", "type"),
        f"{terms} {'need' if certain else 'may need'} {interval_text(disk.needed, bytes_text)}; {row.name} has "
        f"{bytes_text(known(disk.capacity, 'its size'))} of NVMe",
        f"set save_total_limit: {USUAL}" if many else "use an instance type with a larger disk",
        severity=None if certain else Severity.WARNING,
        confidence=None if certain else Confidence.LIKELY,
        instead=(USUAL,) if many else (),
    )
