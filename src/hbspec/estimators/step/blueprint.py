"""The part of a job that runs on one GPU, as requests to torch's allocator at every length of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from hbspec.estimators.step.evaluation import evaluated_job, evaluation, given_evaluation_bytes
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.estimators.step.microbatch import given_bytes, micro_batch
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.pool import SMALL, block_bytes
from hbspec.estimators.step.positions import computed_tokens, program_at, row_tokens
from hbspec.estimators.step.resident import Loaded, loaded_tensors, trained_parameters
from hbspec.estimators.step.sharding import gathers
from hbspec.estimators.step.slots import Requests, Slots
from hbspec.estimators.step.states import states_of
from hbspec.estimators.step.whole_load import WholeLoad


class Together(NamedTuple):
    """Requests that come one behind the other.

    Attributes:
        large: bytes of each large block, rounded.
        small: bytes of all others, which are too small to follow one by one.
    """

    large: Sequence[int]
    small: int

    @classmethod
    def of(cls, requests: Iterable[int]) -> Together:
        """Requests of so many bytes; an empty tensor asks for nothing."""
        sizes = [block_bytes(request) for request in requests if request]
        large = [size for size in sizes if size > SMALL]
        return cls(large, sum(sizes) - sum(large))


class Blueprint:
    """The part of a job that runs on the GPU of a stage, ready to be replayed any number of times.

    Attributes:
        job: the job.
        stage: what the GPU computes on.
        states: what lies on the GPU.
    """

    def __init__(self, job: Job, stage: Stage) -> None:
        self.job, self.stage = job, stage
        self.states = states_of(job, stage)
        self._evaluated = evaluated_job(job)
        self._slots: dict[tuple[Program, bool], Slots] = {}
        self._evaluations: dict[Program, Slots] = {}
        self._found: dict[tuple[int, bool | None], Requests] = {}
        self._loads: dict[bool, WholeLoad] = {}

    def whole_load(self, *, warm: bool) -> WholeLoad:
        """Loading, where the GPU holds the weights whole."""
        found = self._loads.get(warm)
        if found is None:
            adapters = self.trained if self.job.training.adapters else ()
            buckets = self.states.computing["gradient_buckets"]
            found = self._loads[warm] = WholeLoad(self.tensors, adapters, buckets, warm=warm)
        return found

    @cached_property
    def tensors(self) -> tuple[Loaded, ...]:
        """The tensors of the weights, which only a replay of loading needs."""
        return tuple(loaded_tensors(self.job, self.stage))

    @cached_property
    def trained(self) -> list[int]:
        """Bytes of each parameter that is trained."""
        parameters = trained_parameters(self.job, self.stage)
        return [parameter.numel.fixed * parameter.element for parameter in parameters]

    @cached_property
    def accumulated(self) -> Together:
        """Gradients of earlier micro-batches."""
        return Together.of(self._shares(self.states.accumulated) if gathers(self.job) else self.trained)

    @cached_property
    def updating(self) -> Together:
        """What the optimizer needs for a while."""
        return Together.of(self._shares(self.states.updating))

    @cached_property
    def optimizer_states(self) -> Together:
        """The moments of every parameter, and its master copy."""
        moments, trained = max(1, self.job.optimizer.moments), self.states.trained
        states = self._shares(trained["optimizer_states"] // moments)
        return Together.of(states * moments + self._shares(trained["master_weights"]))

    def _shares(self, whole: int) -> list[int]:
        """Something cut into as many pieces as parameters are trained, in proportion to them."""
        total = sum(self.trained)
        return [whole * part // total for part in self.trained] if total else []

    def micro_batch(self, tokens: int, *, whole: bool) -> Requests:
        """What a micro-batch of rows of so many tokens asks for."""
        found = self._found.get((tokens, whole))
        if found is None:
            program = program_at(self.job, tokens)
            slots = self._slots.get((program, whole))
            if slots is None:
                slots = self._slots[program, whole] = micro_batch(self.job, self.stage, tokens, whole=whole)
            given = chain.from_iterable(given_bytes(self.job, self.stage, tokens))
            found = self._found[tokens, whole] = _at(slots, self.job, tokens, [*given])
        return found

    def evaluation(self, tokens: int) -> Requests | None:
        """What an evaluation's micro-batch of rows of so many tokens asks for; None where nothing is evaluated."""
        job = self._evaluated
        if job is None:
            return None
        found = self._found.get((tokens, None))
        if found is None:
            program = program_at(job, tokens)
            slots = self._evaluations.get(program)
            if slots is None:
                slots = self._evaluations[program] = evaluation(job, self.stage, tokens)
            given = chain.from_iterable(given_evaluation_bytes(job, self.stage, tokens))
            found = self._found[tokens, None] = _at(slots, job, tokens, [*given])
        return found


def _at(slots: Slots, job: Job, tokens: int, given: Sequence[int]) -> Requests:
    tokens = computed_tokens(job, tokens)
    return slots.at(job.training.micro_batch * tokens, row_tokens(job, tokens), given)
