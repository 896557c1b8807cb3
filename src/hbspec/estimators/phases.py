"""What a job does beside training steps, and how long each takes."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from hbspec.catalog.parameters import total_parameters
from hbspec.diagnostics import known
from hbspec.estimators.constants import (
    DOWNLOAD_BYTES_PER_SECOND,
    IMAGE_PULL_SECONDS,
    IMPORT_SECONDS,
    LOAD_BYTES_PER_SECOND,
    SAVE_BYTES_PER_SECOND,
    SAVE_SECONDS,
    STARTUP_SECONDS,
    UPLOAD_SECONDS,
)
from hbspec.estimators.precision import BYTES
from hbspec.plan import Plan
from hbspec.units import Interval


def phases_around_steps(plan: Plan) -> Mapping[str, Interval]:
    """Seconds of every phase but steps and evaluation, in order.

    Hardware described by hand is a machine that runs already and has the weights: no `startup`, `image_pull`,
    `weights_download`, `upload`. A checkpoint is written every `save_steps` and at the end. Left out: merging of
    adapters.

    Raises:
        NotKnownError: the architecture, the hardware or its network, or what a save holds is not known.
    """
    hardware = known(plan.hardware, plan.unknown.get("hardware", "the hardware"))
    saves = known(plan.counts, plan.unknown.get("counts", "the counts")).optimizer_steps
    size = weights_on_disk(plan)
    during = ceil(saves / plan.training.save_steps) if plan.training.save_steps else 0
    checkpoint = known(plan.checkpoint_bytes, plan.unknown.get("trainable_parameters", "what is trained"))
    result = known(plan.adapter_bytes, plan.unknown.get("trainable_parameters", "what is trained"))
    loading = duration(size, LOAD_BYTES_PER_SECOND) + IMPORT_SECONDS
    checkpoints = (duration(checkpoint, SAVE_BYTES_PER_SECOND) + SAVE_SECONDS) * during
    if hardware.instance is None:
        return {"load": loading, "checkpoints": checkpoints}
    network = known(hardware.instance.network_bits_per_second, f"the network of {hardware.name}") / 8
    download = DOWNLOAD_BYTES_PER_SECOND.map(lambda rate: min(rate, network))
    return {
        "startup": STARTUP_SECONDS,
        "image_pull": IMAGE_PULL_SECONDS,
        "weights_download": duration(size, download),
        "load": loading,
        "checkpoints": checkpoints,
        "upload": duration(result, SAVE_BYTES_PER_SECOND) + UPLOAD_SECONDS,
    }


def weights_on_disk(plan: Plan) -> int:
    """Bytes of the published weights; 16-bit where their dtype is not known.

    Raises:
        NotKnownError: the architecture is not known.
    """
    architecture = known(plan.architecture, plan.unknown.get("architecture", "the architecture"))
    return total_parameters(architecture) * BYTES.get(architecture.torch_dtype or "bfloat16", 2)


def duration(size: float, rate: Interval) -> Interval:
    """Seconds that so many bytes take at a rate; the fastest rate is the low end."""
    return Interval(size / rate.high, size / rate.expected, size / rate.low)
