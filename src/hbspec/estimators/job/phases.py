"""The phases of a job around its training steps, one function per phase, with their durations.

Each duration is bytes over the slowest link: network, disk or memory. `hbspec.estimators.job.time` says which phases
SageMaker bills.
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
    TEXT_BYTES_PER_TOKEN,
    UPLOAD_BYTES_PER_SECOND,
    UPLOAD_SECONDS,
    VOLUME_BYTES_PER_SECOND,
)
from hbspec.plan import Plan
from hbspec.plan.hardware import Hardware
from hbspec.units import Interval

AFTER_STEPS = ("checkpoints", "merge", "upload")
"""Phases after the steps; all others come before."""


def phases_around_steps(plan: Plan) -> Mapping[str, Interval]:
    """Seconds of every phase except steps and evaluation, in order.

    Hardware described by hand is taken to run already and to have the weights: it has no `startup`, `image_pull`,
    `weights_download`, `data_download`, `data_stream` or `upload`.

    Raises:
        NotKnownError: the architecture, the hardware or its network, the counts, or the trainable parameters are not
            known.
    """
    hardware = plan.require("hardware")
    around: dict[str, Interval] = {}
    if hardware.instance is not None:
        around |= {
            "startup": startup(),
            "image_pull": image_pull(),
            "weights_download": weights_download(weights_on_disk(plan), hardware.instance),
            **data(plan, hardware),
        }
    around |= {"load": load(weights_on_disk(plan), hardware), "checkpoints": checkpoints(plan, hardware)}
    if plan.merges:
        around["merge"] = merge(merged_bytes(plan))
    if hardware.instance is not None:
        around["upload"] = upload(result_bytes(plan))
    return around


def startup() -> Interval:
    """Seconds from the request to a running instance."""
    return STARTUP_SECONDS


def image_pull() -> Interval:
    """Seconds until the script runs: download and start of the image, and installation of requirements."""
    return IMAGE_PULL_SECONDS


def weights_download(size: float, instance: InstanceType) -> Interval:
    """Seconds to download the published weights to disk; several hosts download in parallel.

    Args:
        size: bytes of the weights.
        instance: the instance type, whose network and disk limit the rate.

    Raises:
        NotKnownError: the instance's network is not known.
    """
    network = known(instance.network_bits_per_second, Missing(f"the network of {instance.name}", ("instance",))) / 8
    rate = DOWNLOAD_BYTES_PER_SECOND.map(lambda bytes_per_second: min(bytes_per_second, network))
    return duration(size, slower(rate, disk_bytes_per_second(instance)))


def data(plan: Plan, hardware: Hardware) -> Mapping[str, Interval]:
    """Seconds until a host has the data: `data_download` before the script starts, or `data_stream` as it reads them.

    In File mode SageMaker downloads the data of every channel to the disk. In FastFile mode a script reads from S3: at
    least once, and at most once for each of a host's processes, as the shipped script does, whose processes read all
    data before the first update; whether the service keeps what one of them has read is not known.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data.html

    Args:
        plan: the plan; nothing where the number of examples is not known.
        hardware: the hardware, whose network and disk limit the rate.

    Raises:
        NotKnownError: the instance's network is not known.
    """
    instance = hardware.instance
    if instance is None or plan.counts is None:
        return {}
    size = data_text(plan)
    network = known(instance.network_bits_per_second, Missing(f"the network of {instance.name}", ("instance",))) / 8
    rate = DOWNLOAD_BYTES_PER_SECOND.map(lambda bytes_per_second: min(bytes_per_second, network))
    if plan.streams_data:
        processes = max(1, (plan.processes or hardware.gpus) // hardware.instances)
        low, expected = size.low / rate.high, size.expected / rate.expected
        return {"data_stream": Interval(low, expected, max(expected, processes * size.high / rate.low))}
    rate = slower(rate, disk_bytes_per_second(instance))
    return {"data_download": Interval(size.low / rate.high, size.expected / rate.expected, size.high / rate.low)}


def data_text(plan: Plan) -> Interval:
    """Bytes of the conversations of both splits, as JSON lines.

    Raises:
        NotKnownError: the number of examples is not known.
    """
    examples = plan.require("counts").examples + (plan.validation_examples or 0)
    return plan.lengths.mean * examples * TEXT_BYTES_PER_TOKEN


def load(size: float, hardware: Hardware) -> Interval:
    """Seconds of imports and of loading the weights from disk to the GPUs, including quantisation.

    Freshly downloaded files are read from the page cache if they fit into the host's memory, else from the disk.

    Args:
        size: bytes of the weights.
        hardware: the hardware, whose memory and disk limit the rate.
    """
    rate, memory = LOAD_BYTES_PER_SECOND, hardware.host_memory
    if hardware.instance is not None and memory is not None and size > memory:
        rate = slower(rate, disk_bytes_per_second(hardware.instance))
    return duration(size, rate) + IMPORT_SECONDS


def checkpoints(plan: Plan, hardware: Hardware) -> Interval:
    """Seconds during which checkpoints stop the training: one every `save_steps` and one at the end.

    Each is written to the disk, at best to the page cache, and digests of its small files are calculated. Copies to S3
    run in parallel with the steps; the job waits only for the last one. Left out: gathering of sharded states, and
    simultaneous writes of several hosts.

    Raises:
        NotKnownError: the counts or the trainable parameters are not known.
    """
    updates = plan.updates
    size = plan.require("checkpoint_bytes")
    if not plan.saves_every:
        return Interval.exact(0)
    written = save(size, hardware) * ceil(updates / plan.saves_every)
    if hardware.instance is None or not plan.checkpoints_survive:
        return written
    return written + sync(size)


def save(size: float, hardware: Hardware) -> Interval:
    """Seconds to write one checkpoint from the GPUs to the disk, at best to the page cache.

    Args:
        size: bytes of the checkpoint.
        hardware: the hardware, whose disk limits the rate.
    """
    rate = SAVE_BYTES_PER_SECOND
    if hardware.instance is not None:
        disk = slower(rate, disk_bytes_per_second(hardware.instance))
        rate = Interval(disk.low, disk.expected, rate.high)
    digests = duration(min(size, DIGESTED_BYTES), DIGEST_BYTES_PER_SECOND)
    return duration(size, rate) + digests + SAVE_SECONDS


def sync(size: float) -> Interval:
    """Seconds to copy one checkpoint to S3.

    Args:
        size: bytes of the checkpoint.
    """
    return duration(size, SYNC_BYTES_PER_SECOND)


def merge(size: float) -> Interval:
    """Seconds to merge adapters into 16-bit weights: the weights are loaded again on the host, merged, and written.

    Args:
        size: bytes of the 16-bit weights.
    """
    return duration(size, MERGE_BYTES_PER_SECOND)


def upload(size: float) -> Interval:
    """Seconds to pack the result and upload it to S3.

    Args:
        size: bytes of the result.
    """
    return duration(size, UPLOAD_BYTES_PER_SECOND) + UPLOAD_SECONDS


def weights_on_disk(plan: Plan) -> int:
    """Bytes of the published weights, taken as 16-bit where their dtype is not known.

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
    """Bytes of the job's result: the merged model, else the trained weights.

    Raises:
        NotKnownError: the architecture or the trainable parameters are not known.
    """
    if plan.merges:
        return merged_bytes(plan)
    return plan.require("adapter_bytes")


def disk_bytes_per_second(instance: InstanceType) -> Interval:
    """Bytes per second of the instance's disk; an interval over both kinds of disk where the kind is not known."""
    if instance.nvme_bytes is None:
        return Interval(VOLUME_BYTES_PER_SECOND.low, VOLUME_BYTES_PER_SECOND.expected, NVME_BYTES_PER_SECOND.high)
    return NVME_BYTES_PER_SECOND if instance.nvme_bytes else VOLUME_BYTES_PER_SECOND


def slower(one: Interval, other: Interval) -> Interval:
    """The lower of two rates, as the rate of bytes that pass through both at once."""
    return Interval(min(one.low, other.low), min(one.expected, other.expected), min(one.high, other.high))


def duration(size: float, rate: Interval) -> Interval:
    """Seconds for `size` bytes at a rate; the highest rate gives the low end."""
    return Interval(size / rate.high, size / rate.expected, size / rate.low)
