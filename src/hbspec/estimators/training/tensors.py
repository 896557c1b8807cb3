"""The tensors of a GPU at their peak: exactly where the job says everything, else as an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from hbspec.estimators.constants import ACTIVATION_ERROR, ACTIVATION_ERROR_UNTRACED, GENERATING_ERROR
from hbspec.estimators.step.evaluation import evaluated_job, evaluation_moments
from hbspec.estimators.step.generating import GENERATION
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.moment import Moment
from hbspec.estimators.step.moments import LASTING, load_moments, moments
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.rollouts import engine_error
from hbspec.estimators.step.saving import saving_moment
from hbspec.plan.deepspeed import extremes
from hbspec.units import Interval


class Tensors(NamedTuple):
    """The tensors of a GPU at their peak.

    Attributes:
        moment: the moment of the peak, with the expected length of the longest row.
        peak: bytes as reported by `torch.cuda.max_memory_allocated`.
        lasting: bytes of the peak that last from the first step to the last.
        error: bytes by which what comes and goes may be off.
        freed: bytes freed before the peak, see `hbspec.estimators.training.reserved.reserved_bytes`.
    """

    moment: Moment
    peak: Interval
    lasting: int
    error: int
    freed: int = 0


@lru_cache(maxsize=512)  # a verdict, an interval and a search ask for the same job
def training_tensors(job: Job, stage: Stage, tokens: Interval, *, loads: bool) -> Tensors:
    """Tensors from the first step to the last.

    Args:
        job: the job.
        stage: what the GPU computes on.
        tokens: of the longest row.
        loads: whether loading is one of the moments.
    """
    found = _upper(job, stage, tokens, loads=loads)
    moment, lasting, error = found.moment, found.lasting, found.error
    low = min(moment.total, _most(_extremes(job)[0], stage, floor(tokens.low), loads=loads))
    peak = Interval(max(min(lasting, low), low - error) + engine_error(job).low, moment.total, found.high)
    return Tensors(moment, peak, lasting, error, found.freed)


def most_training_bytes(job: Job, stage: Stage, tokens: Interval, *, loads: bool) -> int:
    """The high end of the peak of `training_tensors`, without its low end: takes less time."""
    return _upper(job, stage, tokens, loads=loads).high


class _Upper(NamedTuple):
    """`Tensors` without the low end of the peak."""

    moment: Moment
    high: int
    lasting: int
    error: int
    freed: int


@lru_cache(maxsize=512)
def _upper(job: Job, stage: Stage, tokens: Interval, *, loads: bool) -> _Upper:
    found = _moments(job, stage, ceil(tokens.expected), loads=loads)
    moment = max(found, key=lambda one: one.total)
    lasting, passing = _parts(moment.terms)
    high = max(moment.total, _most(_extremes(job)[1], stage, ceil(tokens.high), loads=loads, whole=True))
    error = round(max(activation_error(job), GENERATING_ERROR * (moment.name == GENERATION)) * passing)
    return _Upper(moment, high + error + round(engine_error(job).high), lasting, error, _freed(found, moment))


def _moments(job: Job, stage: Stage, tokens: int, *, loads: bool, whole: bool = False) -> list[Moment]:
    """Moments of loading, of a step, of an evaluation and of a save; `whole` as in `saving_moment`."""
    saved = saving_moment(job, stage, whole=whole)
    loading = load_moments(job, stage, whole=False)[:1] if loads else []
    return [*loading, *_running(job, stage, tokens), *([saved] if saved is not None else [])]


@lru_cache(maxsize=128)  # the least, the expected and the longest row are often one
def _running(job: Job, stage: Stage, tokens: int) -> tuple[Moment, ...]:
    """Moments of a step and of an evaluation."""
    evaluated = evaluated_job(job)
    evaluation = evaluation_moments(evaluated, stage, tokens) if evaluated is not None else ()
    return (*moments(job, stage, tokens), *evaluation)


def _most(job: Job, stage: Stage, tokens: int, *, loads: bool, whole: bool = False) -> int:
    return max(moment.total for moment in _moments(job, stage, tokens, loads=loads, whole=whole))


def loading_tensors(job: Job, stage: Stage) -> Tensors:
    """Tensors while the model is loaded; an interval where it is not known whether all of it is there at once."""
    least, *_ = load_moments(job, stage, whole=job.loads_whole is True)
    most = load_moments(job, stage, whole=job.loads_whole is not False)
    lasting, passing = _parts(least.terms)
    error = round(activation_error(job) * passing)
    # what is largest with its error may be another moment than what is expected to be largest
    high = max(one.total + round(activation_error(job) * _parts(one.terms)[1]) for one in most)
    peak = Interval(max(lasting, least.total - error), least.total, high)
    return Tensors(least, peak, max(lasting, most[0].total - passing), error)


def largest_of_each(job: Job, stage: Stage, tokens: Interval) -> tuple[Moment, ...]:
    """The largest moment of each name, the largest last, with the expected length of the longest row.

    Args:
        job: the job.
        stage: what the GPU computes on.
        tokens: of the longest row.
    """
    found = [loading_tensors(job, stage).moment, *_moments(job, stage, ceil(tokens.expected), loads=False)]
    largest = {moment.name: moment for moment in sorted(found, key=lambda moment: moment.total)}
    return tuple(sorted(largest.values(), key=lambda moment: moment.total))


def beyond(job: Job, stage: Stage, tokens: Interval, share: float) -> int:
    """Bytes by which the peak rises if what comes and goes is more at every moment, by a share of it.

    Args:
        job: the job.
        stage: what the GPU computes on.
        tokens: of the longest row.
        share: how much more.
    """
    found = _moments(_extremes(job)[1], stage, ceil(tokens.high), loads=True, whole=True)
    more = max(moment.total + share * _parts(moment.terms)[1] for moment in found)
    return ceil(more - max(moment.total for moment in found))


def activation_error(job: Job) -> float:
    """Relative half-width of the activation terms: small where the lifetimes were compared with traces.

    Traces cover one GPU under transformers 5: every family, method and optimizer, padding and packing, and both kernels
    that run on a CPU. They do not cover sharded layers, which gather and free in a different order, or tensor
    parallelism. The lists of experts of transformers 4 were compared with Mixtral's published peaks instead.
    """
    alone = not job.way.sharded and job.tensor_parallel == 1
    # a reference's logits beside the model's, before TRL had a head that never holds them, were not traced
    traced = not (job.training.objective.reference and job.training.whole_logits)
    return ACTIVATION_ERROR if alone and traced else ACTIVATION_ERROR_UNTRACED


def _extremes(job: Job) -> tuple[Job, Job]:
    """The job that takes the least and the one that takes the most memory of those that it can be; itself where known.

    Settings of DeepSpeed that nobody says; and whether 8-bit products keep their inputs under reentrant checkpointing.
    bitsandbytes 0.50.2 does not, but llama-recipes' published int8 runs held as much as if it did.
    """
    images = job.training.images
    if images is not None and not images.least:
        fewest = job._replace(training=job.training._replace(images=images._replace(least=True)))
        return _extremes(fewest)[0], _extremes(fewest)[1]._replace(training=job.training)
    if job.deepspeed is not None and not job.deepspeed.known:
        least, most = extremes(job.deepspeed, job.architecture.hidden_size)
        return job._replace(deepspeed=least), job._replace(deepspeed=most)
    if job.training.quantization == "int8" and job.program.reentrant:
        return job, job._replace(program=job.program._replace(reentrant=False))
    return job, job


def _freed(found: Sequence[Moment], peak: Moment) -> int:
    """The most bytes of temporary tensors before the peak, where that is in the optimizer step; otherwise 0."""
    if peak.name != "optimizer":
        return 0
    computing = (one for one in found if one.name not in ("load", "optimizer"))
    return max((_parts(one.terms)[1] for one in computing), default=0)


def _parts(terms: Mapping[str, int]) -> tuple[int, int]:
    lasting = sum(size for name, size in terms.items() if name in LASTING)
    return lasting, sum(terms.values()) - lasting
