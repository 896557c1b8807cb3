"""The cheapest changes that make a job fit, or the best uses of the memory that is left: each one planned anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hbspec.analysis.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.cost import Cost, cost
from hbspec.estimators.job.time import Time
from hbspec.estimators.training.memory import Memory
from hbspec.estimators.verdict import Verdict
from hbspec.search.changes import Change, larger, leaner, smaller
from hbspec.search.harmless import harmless

SHOWN = 3
"""Changes that are shown."""

WORTH_SAYING = 0.01
"""Share of cost or time that a use of the head-room has to save: less disappears in the width of every estimate."""

WORTH_A_CHANGE = 0.05
"""Share of cost or time that a second change has to save: with less, the first alone is the better advice."""

ORDER = (
    *("instance", "parallelism", "offload", "instances", "method", "quantisation", "checkpointing", "micro-batch"),
    *("loss", "attention", "optimizer", "length"),
)
"""In which two kinds are combined: whatever decides on what another one means comes first."""

FIT, ROOM = "fit", "room"

Trial = tuple[Change, Analysis]
"""A change, and the analysis of the spec that it makes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job would need, take and cost. Time and cost are None where they are not known.

    `whole` is the bill to the job's end where a limit may stop it before: being stopped early saves nothing.
    """

    change: Change
    memory: Memory
    time: Time | None
    cost: Cost | None
    whole: Cost | None = None

    @property
    def seconds(self) -> float | None:
        """Of the whole job, as expected."""
        return self.time.total_seconds.expected if self.time else None

    @property
    def amount(self) -> float | None:
        """Of the whole job, as expected, in its currency."""
        bill = self.whole or self.cost
        return float(bill.expected) if bill else None

    def to_dict(self) -> dict[str, Any]:
        """One of the `changes` of `hbspec estimate --format json`."""
        return {
            "set": self.change.to_dict(),
            "remark": self.change.remark,
            "verdict": self.memory.verdict,
            "process_bytes": self.memory.fullest.to_dict()["process_bytes"],
            "time_seconds": self.time and self.time.total_seconds.to_dict(),
            "cost": self.cost and self.cost.amounts(),
        }


@dataclass(frozen=True, slots=True)
class Advice:
    """What could be changed.

    Attributes:
        purpose: "fit" for a job that does not surely fit, "room" for one that does.
        now: the spec as it is.
        outcomes: the changes, the best first; none where nothing that was tried helps.
        tried: how many were planned.
    """

    purpose: str
    now: Outcome
    outcomes: tuple[Outcome, ...]
    tried: int


def advise(analysis: Analysis) -> Advice:
    """The changes that are worth an author's while.

    To make a job fit: single changes after which it surely fits, and pairs of them that keep the machine, by expected
    cost, then expected time; where there are none, pairs with another machine, and where those do not help either, what
    comes near (tight). For a job that fits: single changes that keep it so and save cost, or time at no cost, by what
    they save; then longer rows, where examples are cut. One change of a kind is shown before a second is. No change
    brings an error that the spec does not have. Left out: three changes at once, and changes of the data, the model or
    the rank.

    Raises:
        NotKnownError: what the memory needs or has is not known.
    """
    verdict = analysis.memory.verdict
    if verdict is Verdict.UNKNOWN:
        raise NotKnownError("the usable memory of the GPU")
    now = _outcome(Change("", {}), analysis)
    search = _Search(analysis)
    if verdict is Verdict.FITS:
        return Advice(ROOM, now, search.uses_of_room(now), search.tried)
    return Advice(FIT, now, search.ways_to_fit(verdict), search.tried)


class _Search:
    """Plans changed specs and keeps count of them."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.tried = 0

    @cached_property
    def _acceptable(self) -> Callable[[Analysis], bool]:
        """Whether a changed spec may be recommended; asked only for what would be shown."""
        return harmless(self.analysis)

    def ways_to_fit(self, verdict: Verdict) -> tuple[Outcome, ...]:
        """Single changes, and pairs on the same machine; else pairs on others; else what is at least tight."""
        single = list(self._trials(smaller(self.analysis.spec, self.analysis.plan, self.analysis.catalog)))
        here = list(self._pairs(trial for trial in single if trial[0].kind != "instance"))
        if found := self._best(_judged([*single, *here], Verdict.FITS)):
            return found
        pairs = [*here, *self._pairs(trial for trial in single if trial[0].kind == "instance")]
        found = self._best(_judged(pairs, Verdict.FITS))
        if found or verdict is Verdict.TIGHT:
            return found
        return self._best(_judged(single, Verdict.TIGHT)) or self._best(_judged(pairs, Verdict.TIGHT))

    def uses_of_room(self, now: Outcome) -> tuple[Outcome, ...]:
        """What saves, and after it what makes the result better."""
        analysis = self.analysis
        trials = self._trials(larger(analysis.spec, analysis.plan, analysis.catalog))
        fitting = list(_judged(trials, Verdict.FITS))
        longer = [trial for trial in fitting if trial[0].kind == "length"]
        saving = [trial for trial in fitting if trial not in longer and _saves(now, _outcome(*trial))]
        return (*self._best(saving), *self._best(longer))[:SHOWN]

    def _pairs(self, single: Iterable[Trial]) -> Iterator[Trial]:
        """Two changes of different kinds, of which the first helps on its own."""
        for first, analysis in _one_of_alike(single):
            if _fullness(analysis) >= _fullness(self.analysis):
                continue
            more = leaner(analysis.spec, analysis.plan)
            later = (change for change in more if ORDER.index(change.kind) > ORDER.index(first.kind))
            yield from self._trials(change.after(first) for change in later)

    def _trials(self, changes: Iterable[Change]) -> Iterator[Trial]:
        """Each change with the analysis of the spec that it makes, as far as its memory is known."""
        for change in changes:
            self.tried += 1
            trial = replace(self.analysis, spec=change.applied(self.analysis.spec))
            try:
                known = trial.memory.verdict is not Verdict.UNKNOWN
            except NotKnownError:
                continue
            if known:
                yield change, trial

    def _best(self, trials: Iterable[Trial]) -> tuple[Outcome, ...]:
        """The cheapest of each kind that may be recommended; where kinds are few, the cheapest on each GPU too."""
        ranked = sorted(trials, key=lambda trial: _rank(_outcome(*trial)))
        chosen: list[Trial] = []
        for distinct in (_kind, _kind_and_gpu):
            taken = {distinct(trial) for trial in chosen}
            for trial in ranked:
                new = distinct(trial) not in taken and not _contains(trial, chosen)
                if len(chosen) < SHOWN and new and self._acceptable(trial[1]):
                    taken.add(distinct(trial))
                    chosen.append(trial)
        return tuple(sorted((_outcome(*trial) for trial in chosen), key=_rank))


def _contains(pair: Trial, chosen: Iterable[Trial]) -> bool:
    """Whether one of its changes does as well alone."""
    parts = pair[0].kind.split("+")
    return len(parts) > 1 and any(trial[0].kind in parts for trial in chosen)


def _kind(trial: Trial) -> tuple[str, ...]:
    return (trial[0].kind,)


def _kind_and_gpu(trial: Trial) -> tuple[str, ...]:
    change, analysis = trial
    hardware = analysis.plan.hardware
    return change.kind, hardware.gpu.name if hardware else ""


def _one_of_alike(trials: Iterable[Trial]) -> Iterator[Trial]:
    """Of instance types with the same GPUs the cheapest: another change means the same to all of them."""
    seen: set[tuple[Any, ...]] = set()
    for change, analysis in sorted(trials, key=lambda trial: _rank(_outcome(*trial))):
        if change.kind == "instance" and analysis.plan.hardware is not None:
            hardware = analysis.plan.hardware
            alike = (hardware.gpu.name, hardware.gpus, analysis.plan.parallelism)
            if alike in seen or analysis.host.verdict is Verdict.DOES_NOT_FIT:
                continue
            seen.add(alike)
        yield change, analysis


def _judged(trials: Iterable[Trial], verdict: Verdict) -> Iterator[Trial]:
    return (trial for trial in trials if trial[1].memory.verdict == verdict)


def _outcome(change: Change, analysis: Analysis) -> Outcome:
    try:
        time = analysis.time
    except NotKnownError:
        return Outcome(change, analysis.memory, None, None)
    try:
        whole = cost(analysis.plan, time.to_the_end) if time.may_be_stopped else None
        return Outcome(change, analysis.memory, time, analysis.cost, whole)
    except NotKnownError:
        return Outcome(change, analysis.memory, time, None)


def _rank(outcome: Outcome) -> tuple[float, float, int]:
    """Expected cost, expected time, how much is to be written; what is not known comes last."""
    burden = 1 + WORTH_A_CHANGE * outcome.change.kind.count("+")
    return _rounded(outcome.amount, burden), _rounded(outcome.seconds, burden), len(outcome.change.settings)


def _rounded(value: float | None, burden: float) -> float:
    """Three digits: what differs by less is the same, and the simpler change wins."""
    return float("inf") if value is None else float(f"{value * burden:.3g}")


def _saves(now: Outcome, then: Outcome) -> bool:
    """Whether a change saves money, or time and costs no more."""
    cost, time = _saved(now.amount, then.amount), _saved(now.seconds, then.seconds)
    if cost is not None and cost >= WORTH_SAYING:
        return True
    return time is not None and time >= WORTH_SAYING and (cost is None or cost >= 0)


def _saved(now: float | None, then: float | None) -> float | None:
    """The share that is saved; None where one of the two is not known."""
    return None if now is None or then is None or not now else 1 - then / now


def _fullness(analysis: Analysis) -> float:
    """The largest share of its usable memory that a GPU's tensors may take."""
    return max(device.peak_allocated.high / device.usable for device in analysis.memory.devices if device.usable)
