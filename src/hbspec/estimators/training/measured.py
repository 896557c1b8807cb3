"""Memory of GPUs on which the same job was measured: its reserve and its process instead of those that are estimated.

The tensors stay as they are counted. A reserve is measured with rows that become longer and longer, in which order most
is reserved (`hbspec.estimators.training.draws.rising`): where rows differ in length, the low end stays the estimated
one, of another order. Neither interval is narrower than the measured value with its error in both directions.

A job that ran out of memory is expected to do so again: certainly where all rows have one length, and possibly in
another order of rows where they differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hbspec.estimators.constants import MEASURED_BESIDE_ERROR, MEASURED_RESERVE_ERROR
from hbspec.estimators.training.devices import DeviceMemory, Memory
from hbspec.plan.measurement import MeasuredDevice, Measurement
from hbspec.units import Interval, bytes_text


def measured_memory(measurement: Measurement, estimated: Memory) -> Memory:
    """The memory of each GPU with what was measured on it.

    Args:
        measurement: of the same job.
        estimated: the memory of the job without it.
    """
    by_index = {device.gpu: device for device in measurement.devices}
    change = _measured if measurement.ran_out is None else _ran_out
    return Memory(
        tuple(
            change(device, by_index[device.index], alike=measurement.rows.alike) if device.index in by_index else device
            for device in estimated.devices
        )
    )


def contradictions(measurement: Measurement, estimated: Memory) -> Iterator[str]:
    """Why a measured reserve cannot be that of this job: its tensors alone take more."""
    if measurement.ran_out is not None:
        return
    by_index = {device.index: device for device in estimated.devices if device.process.high}
    for device in measurement.devices:
        counted = by_index.get(device.gpu)
        if counted is None:
            yield f"GPU {device.gpu} was measured, which this job does not use"
        elif device.reserved * (1 + MEASURED_RESERVE_ERROR) < counted.peak_allocated.low:
            yield (
                f"GPU {device.gpu}: {bytes_text(device.reserved)} reserved were measured, but the tensors of this "
                f"job take at least {bytes_text(counted.peak_allocated.low)}"
            )


def _measured(device: DeviceMemory, found: MeasuredDevice, *, alike: bool) -> DeviceMemory:
    off = MEASURED_RESERVE_ERROR * found.reserved
    reserved = _around(found.reserved, off, device.peak_reserved, device.peak_allocated, alike=alike)
    process = _around(found.process, off + MEASURED_BESIDE_ERROR, device.process, reserved, alike=alike)
    if device.usable is not None:  # it ran in what the GPU has
        process = replace(process, low=min(process.low, device.usable))
    return replace(
        device, peak_reserved=reserved, process=process, needed=min(device.needed, max(found.process, process.low))
    )


def _around(size: int, off: float, estimated: Interval, within: Interval, *, alike: bool) -> Interval:
    """A measured size with its error, at least what it holds; with the estimated low end where the order decides it."""
    low = size - off if alike else min(estimated.low, size - off)
    expected = max(size, within.expected)
    return Interval(min(max(low, within.low), expected), expected, max(size + off, within.high, expected)).map(round)


def _ran_out(device: DeviceMemory, found: MeasuredDevice, *, alike: bool) -> DeviceMemory:
    """A process that needs more than the GPU has; which order of rows needs that is not known where they differ."""
    beyond = max(found.total, device.usable or 0) + 1
    process = Interval(
        max(device.process.low, beyond) if alike else device.process.low,
        max(device.process.expected, beyond),
        max(device.process.high, beyond),
    )
    return replace(device, process=process, needed=max(device.needed, beyond))
