"""`volume` is too small for the weights, checkpoints and data.

Why: An instance without local NVMe downloads to its EBS volume, which is 30 GB unless the spec says otherwise. The
weights are downloaded in 16 bit even where they are trained in 4 bit; checkpoints, the data and its tokenised copies
lie beside them. A full disk ends the job, sometimes after hours.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.p3.2xlarge, parallelism: single, price: 3.825 USD/h, volume: 10 GB}

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.p3.2xlarge, parallelism: single, price: 3.825 USD/h, volume: 100 GB}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
    https://github.com/awslabs/graphstorm/issues/309
    https://github.com/aws/sagemaker-training-toolkit/issues/204
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.estimators.verdict import Verdict
from hbspec.rules.checkpoints import SAVE_TOTAL_LIMIT, USUAL, fill_the_disk
from hbspec.rules.rule import Rule
from hbspec.units import GB, bytes_text, interval_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare a host's volume with what it must hold; a warning where the type may have NVMe; HB126 judges NVMe."""
    row = analysis.plan.hardware.instance if analysis.plan.hardware else None
    if row is None or row.nvme_bytes:
        return
    disk = analysis.storage
    if disk.verdict is Verdict.FITS:
        return
    capacity, certain = known(disk.capacity, "its size"), disk.verdict is Verdict.DOES_NOT_FIT
    terms = ", ".join(f"{name} {bytes_text(size.expected)}" for name, size in disk.terms.items())
    many = fill_the_disk(analysis)
    yield RULE.at(
        SAVE_TOTAL_LIMIT if many else ("instance", "volume"),
        f"{terms} {'need' if disk.needed.low > capacity else 'may need'} {interval_text(disk.needed, bytes_text)}; "
        f"the volume has {bytes_text(capacity)}{'' if disk.chosen else ' by default'}"
        + ("" if not disk.perhaps_more else f"; whether {row.name} has local storage as well is not known"),
        f"{f'set save_total_limit: {USUAL}, or ' if many else ''}use volume: "
        f"{ceil(disk.needed.high / (10 * GB)) * 10} GB",
        severity=None if certain else Severity.WARNING,
        confidence=None if certain else Confidence.LIKELY,
        instead=(USUAL,) if many else (),
    )
