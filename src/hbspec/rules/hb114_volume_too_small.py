"""A volume that cannot hold the weights and the checkpoints.

Why: an instance without local NVMe downloads into its EBS volume, 30 GB where the spec says nothing. The weights come
in 16 bit even where they are trained in 4, and every checkpoint is kept beside them; a full disk ends the job, some
after hours.

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

from hbspec.analysis import Analysis
from hbspec.catalog.parameters import total_parameters
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.estimators.storage import CHECKPOINTS_KEPT, DEFAULT_VOLUME
from hbspec.rules.rule import Rule
from hbspec.units import GB, bytes_text

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Weights in 16 bit and the checkpoints kept, against the volume. Left out: the data and the container's image."""
    section, plan = analysis.spec.instance, analysis.plan
    row = plan.hardware.instance if plan.hardware else None
    if row is None or row.nvme_bytes:
        return
    weights = 2 * total_parameters(known(analysis.architecture, "the model's architecture"))
    kept = analysis.spec.hyperparameters.save_total_limit or CHECKPOINTS_KEPT
    needed = weights + kept * known(plan.checkpoint_bytes, "the size of a checkpoint")
    volume = section.volume or DEFAULT_VOLUME
    if needed > volume:
        certain = row.nvme_bytes == 0
        yield RULE.at(
            ("instance", "volume"),
            f"the volume holds {bytes_text(volume)}{'' if section.volume else ' by default'}, but weights in 16 bit "
            f"({bytes_text(weights)}) and {kept} checkpoints take {bytes_text(needed)}"
            + ("" if certain else f"; whether {row.name} has local storage as well is not known"),
            f"use volume: {-(-2 * needed // (10 * GB)) * 10} GB, twice what is needed",
            severity=None if certain else Severity.WARNING,
            confidence=None if certain else Confidence.LIKELY,
        )
