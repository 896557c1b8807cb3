"""Memory of every GPU while training: tensors exactly, the overhead of the process as an interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce

from hbspec.diagnostics import known
from hbspec.estimators.constants import MEMORY, MemoryConstants
from hbspec.estimators.step.job import Job, job_of
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.sharding import gathers
from hbspec.estimators.step.states import states_of
from hbspec.estimators.training.bounded import MOST_PASSING, bounded_memory
from hbspec.estimators.training.devices import NOTHING, DeviceMemory, Memory
from hbspec.estimators.training.measured import measured_memory
from hbspec.estimators.training.paged import with_pages, without_room
from hbspec.estimators.training.replayed import Replays, Rows, rows_of
from hbspec.estimators.training.reserved import Surroundings, beside_bytes, capped, process_bytes, reserved_bytes
from hbspec.estimators.training.stages import all_layers, kinds, stages_of
from hbspec.estimators.training.tensors import Tensors, beyond, loading_tensors, most_training_bytes, training_tensors
from hbspec.estimators.verdict import Verdict
from hbspec.plan import Hardware, Plan
from hbspec.units import Interval


def memory(plan: Plan, constants: MemoryConstants = MEMORY) -> Memory:
    """Peak memory of each GPU of one host while training.

    The longest row after truncation determines the peak, so `peak_allocated` spans the possible lengths of that row and
    the error of the activation terms. A record that applies replaces the reserve and the process by what was measured
    (`hbspec.estimators.training.measured`). Left out: host memory, disk.

    Raises:
        NotKnownError: the architecture, the trainable parameters, the hardware, the processes or the optimizer is not
            known.
    """
    if plan.measured is not None and plan.measured.memory:
        return measured_memory(plan.measured.measurement, memory(plan._replace(measured=None), constants))
    if plan.between is not None:
        return bounded_memory(plan, plan.between, [_bounding(one, constants) for one in plan.between.plans])
    job, hardware = job_of(plan), plan.require("hardware")
    around, stages = surroundings(job, hardware), stages_of(job, hardware)
    tokens = longest_tokens(plan)
    rows = rows_of(plan, tokens) if plan.replayed and is_replayed(job) else None
    alike = {kind: _device(job, stage, tokens, rows, around, constants) for kind, stage in kinds(stages).items()}
    return _on_each(stages, alike, around)


def _on_each(stages: Iterable[Stage | None], alike: Mapping[object, DeviceMemory], around: Surroundings) -> Memory:
    """The GPUs of a host, of which those of one kind are alike."""
    unused = DeviceMemory(0, {}, "load", NOTHING, NOTHING, NOTHING, around.usable)
    devices = (alike[stage.kind] if stage else unused for stage in stages)
    return Memory(tuple(replace(device, index=index) for index, device in enumerate(devices)))


def _bounding(plan: Plan, constants: MemoryConstants) -> tuple[Memory, int]:
    """The memory of a model that bounds another, and the bytes that layers of another kind may add to it."""
    found, job, tokens = memory(plan, constants), job_of(plan), longest_tokens(plan)
    stages = kinds(stages_of(job, plan.require("hardware"))).values()
    return found, max(beyond(job, stage, tokens, MOST_PASSING) for stage in stages)


def memory_verdict(plan: Plan) -> Verdict:
    """The verdict of `memory`; only where the tensors fit by themselves, what is reserved beside them decides.

    Raises:
        NotKnownError: as `memory`.
    """
    if plan.between is not None or (plan.measured is not None and plan.measured.memory):
        return memory(plan).verdict
    around = surroundings(job_of(plan), plan.require("hardware"))
    usable, beside = around.usable, beside_bytes(around, MEMORY)
    if usable is None:
        return Verdict.UNKNOWN
    peaks = [found.peak for found in tensors(plan)]
    if any(peak.low + beside.low > usable for peak in peaks):
        return Verdict.DOES_NOT_FIT
    if any(peak.high + beside.high > usable for peak in peaks):
        return Verdict.TIGHT
    job = job_of(plan)
    if not is_replayed(job):
        return memory(plan).verdict
    found = replays_of(plan)
    if job.optimizer.paged:
        pages = max(states_of(job, stage).paged for stage in kinds(stages_of(job, plan.require("hardware"))).values())
        ample = all(replays.has_ample_room(pages) for replays in found)
        return Verdict.FITS if ample else memory(plan).verdict
    return Verdict.FITS if all(replays.fits() for replays in found) else Verdict.TIGHT


def memory_without_reserve(plan: Plan) -> Memory | None:
    """Memory of each GPU for tensors, context and communicators alone, where that is certain to exceed it; else None.

    What the allocator would reserve beside them decides nothing there, and takes long to replay.

    Raises:
        NotKnownError: as `memory`.
    """
    if plan.between is not None or (plan.measured is not None and plan.measured.memory):
        return None
    job, hardware = job_of(plan), plan.require("hardware")
    around, stages, tokens = surroundings(job, hardware), stages_of(job, hardware), longest_tokens(plan)
    alike = {
        kind: reduce(_fuller, (_at(one, one.peak.map(round), around, MEMORY) for one in _tensors(job, stage, tokens)))
        for kind, stage in kinds(stages).items()
    }
    found = _on_each(stages, alike, around)
    return found if found.verdict is Verdict.DOES_NOT_FIT else None


def replays_of(plan: Plan) -> list[Replays]:
    """What is replayed of each kind of GPU, where `is_replayed`, with each loss that may decide it.

    Raises:
        NotKnownError: as `memory`.
    """
    job, hardware = job_of(plan), plan.require("hardware")
    around, tokens = surroundings(job, hardware), longest_tokens(plan)
    rows = rows_of(plan, tokens)
    return [
        Replays(one, stage, rows, training_tensors(one, stage, tokens, loads=True), around, MEMORY)
        for stage in kinds(stages_of(job, hardware)).values()
        for one in _losses(job)
    ]


def fullness(plan: Plan) -> float:
    """The largest share of a GPU's usable memory that its tensors may take.

    Raises:
        NotKnownError: as `memory`, or the usable memory is not known.
    """
    usable = known(plan.require("hardware").gpu.usable_bytes, "the usable memory of the GPU")
    if plan.between is not None:
        return max(device.process.high for device in memory(plan).devices) / usable
    return most_allocated(plan) / usable


def most_allocated(plan: Plan) -> float:
    """The high end of the bytes of tensors on the GPU that may have most of them; takes less time than `tensors`.

    Raises:
        NotKnownError: as `memory`.
    """
    job, hardware = job_of(plan), plan.require("hardware")
    stages, tokens, replayed = kinds(stages_of(job, hardware)).values(), longest_tokens(plan), is_replayed(job)
    most = [float(most_training_bytes(job, stage, tokens, loads=replayed)) for stage in stages]
    if not replayed or gathers(job):
        most += [loading_tensors(job, stage).peak.high for stage in stages]
    return max(most)


def peak_allocated(plan: Plan) -> float:
    """Bytes of tensors that are expected on the GPU that has most of them; nothing is replayed for it.

    Raises:
        NotKnownError: as `memory`.
    """
    return max(found.peak.expected for found in tensors(plan))


def tensors(plan: Plan) -> list[Tensors]:
    """The tensors of each kind of GPU at their peak: while loading, and after it.

    Raises:
        NotKnownError: as `memory`.
    """
    job, hardware = job_of(plan), plan.require("hardware")
    stages, tokens = kinds(stages_of(job, hardware)).values(), longest_tokens(plan)
    return [found for stage in stages for found in _tensors(job, stage, tokens)]


def _tensors(job: Job, stage: Stage, tokens: Interval) -> list[Tensors]:
    """The tensors of one kind of GPU at their peak: after loading, and while it loads where that counts apart."""
    replayed = is_replayed(job)
    found = training_tensors(job, stage, tokens, loads=replayed)
    return [found, loading_tensors(job, stage)] if not replayed or gathers(job) else [found]


def memory_while_loading(plan: Plan) -> DeviceMemory:
    """Memory of each GPU while it loads a model of which it computes all layers.

    Raises:
        NotKnownError: as `memory`.
    """
    job = job_of(plan)
    return _loading(job, all_layers(job), surroundings(job, plan.require("hardware")))


def longest_tokens(plan: Plan) -> Interval:
    """Tokens of the longest row that a job may have, after truncation."""
    cut = plan.lengths.cut(plan.training.max_length)
    return Interval.exact(plan.training.max_length) if plan.training.packing else cut.longest


def surroundings(job: Job, hardware: Hardware) -> Surroundings:
    """What determines the overhead of each GPU's process."""
    gpu = hardware.gpu
    return Surroundings(job.shards.weights > 1, job.way.distributed, gpu.compute_capability, gpu.usable_bytes)


def _device(
    job: Job, stage: Stage, tokens: Interval, rows: Rows | None, around: Surroundings, constants: MemoryConstants
) -> DeviceMemory:
    training = training_tensors(job, stage, tokens, loads=rows is not None)
    if rows is None:
        reserved = reserved_bytes(training.peak, training.lasting, around, constants, freed=training.freed)
        device = _fuller(_at(training, reserved, around, constants), _loading(job, stage, around, constants))
    else:
        replayed = _reserved(job, stage, tokens, rows, around, constants)
        moments = [training, *([loading_tensors(job, stage)] if gathers(job) else [])]
        found = [_at(one, capped(replayed, one.peak, around, constants), around, constants) for one in moments]
        device = reduce(_fuller, found)
    return _beside_pages(device, states_of(job, stage).paged)


def _reserved(
    job: Job, stage: Stage, tokens: Interval, rows: Rows, around: Surroundings, constants: MemoryConstants
) -> Interval:
    """What the allocator of a GPU reserves, up to the most of the losses that may decide it."""
    own, *others = (
        Replays(one, stage, rows, training_tensors(one, stage, tokens, loads=True), around, constants).reserved()
        for one in _losses(job)
    )
    return Interval(own.low, own.expected, max(one.high for one in (own, *others)))


def _losses(job: Job) -> Iterator[Job]:
    """The job, and the same with the usual loss where its own writes over the logits.

    IBM's processes of such a loss took as much as those of the usual one, though their tensors were fewer
    (fms-acceleration, a100_80gb.csv, `foak-fast-kernels`). Why is not known, so that only the high end is raised.
    """
    yield job
    if job.program.loss_in_place:
        yield job._replace(program=job.program._replace(loss_in_place=False))


def _loading(job: Job, stage: Stage, around: Surroundings, constants: MemoryConstants = MEMORY) -> DeviceMemory:
    """A GPU while the model is loaded.

    Nothing but single tensors is freed meanwhile, so that the allocator's reserve is small under FSDP too.
    """
    loading, unsharded = loading_tensors(job, stage), around._replace(sharded=False)
    reserved = reserved_bytes(loading.peak, loading.lasting, unsharded, constants)
    return _at(loading, reserved, unsharded, constants)


def _at(found: Tensors, reserved: Interval, around: Surroundings, constants: MemoryConstants) -> DeviceMemory:
    """A GPU when its tensors take most."""
    return DeviceMemory(
        index=0,
        terms={name: size for name, size in found.moment.terms.items() if size},
        moment=found.moment.name,
        peak_allocated=found.peak,
        peak_reserved=reserved,
        process=process_bytes(reserved, found.peak, around, constants),
        usable=around.usable,
        needed=found.peak.expected + beside_bytes(around, constants).expected,
        freed=found.freed,
    )


def _fuller(one: DeviceMemory, other: DeviceMemory) -> DeviceMemory:
    """A GPU over both moments: the terms of the one that is expected to need more, and each end of both."""
    fullest = other if other.peak_allocated.expected > one.peak_allocated.expected else one
    return replace(
        fullest,
        peak_allocated=_highest(one.peak_allocated, other.peak_allocated),
        peak_reserved=_highest(one.peak_reserved, other.peak_reserved),
        process=_highest(one.process, other.process),
        needed=max(one.needed, other.needed),
    )


def _highest(one: Interval, other: Interval) -> Interval:
    return Interval(max(one.low, other.low), max(one.expected, other.expected), max(one.high, other.high))


def is_replayed(job: Job) -> bool:
    """Whether all requests are known in their order, and how the allocator serves them.

    Each rank holds whole layers with nothing of them elsewhere, or FSDP gathers them, and the allocator has no option
    that is not replayed.
    """
    whole = (
        (not job.way.sharded or gathers(job)) and job.tensor_parallel == 1 and (job.offload == "none" or gathers(job))
    )
    ordered = job.training.objective.next_token and not job.training.updates_in_backward
    ordered = ordered and job.training.images is None  # what a tower asks for is told by its moments alone
    return whole and ordered and not job.program.offloads and not job.allocator.others


def _beside_pages(device: DeviceMemory, paged: int) -> DeviceMemory:
    """The same GPU with so many bytes of paged optimizer states."""
    process, usable = device.process, device.usable
    beside, out = with_pages(process, paged, usable), without_room(process, paged, usable)
    return replace(device, process=beside, paged=paged, paged_out=out) if paged else device
