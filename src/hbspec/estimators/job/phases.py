"""What a job does beside training steps, one function a phase, and how long each takes.

Bytes over the slowest thing that they pass: the network, the disk, the memory. What SageMaker bills of it is said in
`hbspec.estimators.job.time`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from hbspec.catalog import InstanceType
from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import total_parameters
from hbspec.diagnostics import Missing, known
from hbspec.estimators.constants import (
    DIGEST_BYTES_PER_SECOND,
    DIGESTED_BYTES,
    DOWNLOAD_BYTES_PER_SECOND,
    IMAGE_PULL_SECONDS,
    IMPORT_SECONDS,
    LOAD_BYTES_PER_SECOND,
    MERGE_BYTES_PER_SECOND,
    NVME_BYTES_PER_SECOND,
    SAVE_BYTES_PER_SECOND,
    SAVE_SECONDS,
    STARTUP_SECONDS,
    SYNC_BYTES_PER_SECOND,
    UPLOAD_BYTES_PER_SECOND,
    UPLOAD_SECONDS,
    VOLUME_BYTES_PER_SECOND,
)
from hbspec.plan import Plan
from hbspec.plan.hardware import Hardware
from hbspec.units import Interval

AFTER_STEPS = ("checkpoints", "merge", "upload")
"""Phases that begin when steps have run; the others come before."""


def phases_around_steps(plan: Plan) -> Mapping[str, Interval]:
    """Seconds of every phase but steps and evaluation, in order.

    Hardware described by hand is a machine that runs already and has the weights: no `startup`, `image_pull`,
    `weights_download`, `upload`. Left out: the download of the data, which is small beside the weights.

    Raises:
        NotKnownError: the architecture, the hardware or its network, the counts, or what a save holds is not known.
    """
    hardware = plan.require("hardware")
    around: dict[str, Interval] = {}
    if hardware.instance is not None:
        around |= {
            "startup": startup(),
            "image_pull": image_pull(),
            "weights_download": weights_download(weights_on_disk(plan), hardware.instance),
        }
    around |= {"load": load(weights_on_disk(plan), hardware), "checkpoints": checkpoints(plan, hardware)}
    if plan.merges:
        around["merge"] = merge(merged_bytes(plan))
    if hardware.instance is not None:
        around["upload"] = upload(result_bytes(plan))
    return around


def startup() -> Interval:
    """Seconds from the request to an instance that runs."""
    return STARTUP_SECONDS


def image_pull() -> Interval:
    """Seconds until the script runs: the image, its start, and what is installed into it."""
    return IMAGE_PULL_SECONDS


def weights_download(size: float, instance: InstanceType) -> Interval:
    """Seconds of the published weights through the network onto the disk; several hosts download side by side.

    Args:
        size: bytes.
        instance: whose network and disk they pass.

    Raises:
        NotKnownError: the instance's network is not known.
    """
    network = known(instance.network_bits_per_second, Missing(f"the network of {instance.name}", ("instance",))) / 8
    rate = DOWNLOAD_BYTES_PER_SECOND.map(lambda bytes_per_second: min(bytes_per_second, network))
    return duration(size, slower(rate, disk_bytes_per_second(instance)))


def load(size: float, hardware: Hardware) -> Interval:
    """Seconds of imports and of the weights from disk to the GPUs, quantised on the way.

    Files that were just downloaded are still in the host's memory where they fit; else the disk is read.

    Args:
        size: bytes.
        hardware: whose memory and disk count.
    """
    rate, memory = LOAD_BYTES_PER_SECOND, hardware.host_memory
    if hardware.instance is not None and memory is not None and size > memory:
        rate = slower(rate, disk_bytes_per_second(hardware.instance))
    return duration(size, rate) + IMPORT_SECONDS


def checkpoints(plan: Plan, hardware: Hardware) -> Interval:
    """Seconds that all checkpoints keep the job from training: one every `save_steps` and one at the end.

    Each is written to the disk, at best into memory that caches it, and the digests of its small files are taken. The
    copies to S3 run beside the steps; only the last one is waited for. Left out: gathering of what is sharded, and
    writes of several hosts at once.

    Raises:
        NotKnownError: the counts or what is trained are not known.
    """
    updates = plan.updates
    size = plan.require("checkpoint_bytes")
    if not plan.training.save_steps:
        return Interval.exact(0)
    written = save(size, hardware) * ceil(updates / plan.training.save_steps)
    if hardware.instance is None or not plan.checkpoints_survive:
        return written
    return written + sync(size)


def save(size: float, hardware: Hardware) -> Interval:
    """Seconds of one checkpoint out of the GPUs onto the disk, at best into memory that caches it.

    Args:
        size: bytes.
        hardware: whose disk counts.
    """
    rate = SAVE_BYTES_PER_SECOND
    if hardware.instance is not None:
        disk = slower(rate, disk_bytes_per_second(hardware.instance))
        rate = Interval(disk.low, disk.expected, rate.high)
    digests = duration(min(size, DIGESTED_BYTES), DIGEST_BYTES_PER_SECOND)
    return duration(size, rate) + digests + SAVE_SECONDS


def sync(size: float) -> Interval:
    """Seconds of one checkpoint's copy to S3.

    Args:
        size: bytes.
    """
    return duration(size, SYNC_BYTES_PER_SECOND)


def merge(size: float) -> Interval:
    """Seconds of adding adapters to 16-bit weights: those are loaded anew on the host, added to, and written.

    Args:
        size: bytes of the 16-bit weights.
    """
    return duration(size, MERGE_BYTES_PER_SECOND)


def upload(size: float) -> Interval:
    """Seconds of packing the result and of sending it to S3.

    Args:
        size: bytes of the result.
    """
    return duration(size, UPLOAD_BYTES_PER_SECOND) + UPLOAD_SECONDS


def weights_on_disk(plan: Plan) -> int:
    """Bytes of the published weights; 16-bit where their dtype is not known.

    Raises:
        NotKnownError: the architecture is not known.
    """
    architecture = plan.require("architecture")
    return total_parameters(architecture) * BYTES.get(architecture.torch_dtype or "bfloat16", 2)


def merged_bytes(plan: Plan) -> int:
    """Bytes of the whole model in 16 bits.

    Raises:
        NotKnownError: the architecture is not known.
    """
    return 2 * total_parameters(plan.require("architecture"))


def result_bytes(plan: Plan) -> int:
    """Bytes of what the job hands over: the merged model, else what was trained.

    Raises:
        NotKnownError: the architecture or what is trained is not known.
    """
    if plan.merges:
        return merged_bytes(plan)
    return plan.require("adapter_bytes")


def disk_bytes_per_second(instance: InstanceType) -> Interval:
    """What the instance's disk moves; either kind where it is not known which it has."""
    if instance.nvme_bytes is None:
        return Interval(VOLUME_BYTES_PER_SECOND.low, VOLUME_BYTES_PER_SECOND.expected, NVME_BYTES_PER_SECOND.high)
    return NVME_BYTES_PER_SECOND if instance.nvme_bytes else VOLUME_BYTES_PER_SECOND


def slower(one: Interval, other: Interval) -> Interval:
    """The rate of what passes both, one after the other at the same time."""
    return Interval(min(one.low, other.low), min(one.expected, other.expected), min(one.high, other.high))


def duration(size: float, rate: Interval) -> Interval:
    """Seconds that so many bytes take at a rate; the fastest rate is the low end."""
    return Interval(size / rate.high, size / rate.expected, size / rate.low)
