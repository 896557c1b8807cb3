"""The cheapest changes that make a job fit, or the best uses of the memory that is left, each planned again."""

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
"""The largest number of changes shown."""

WORTH_SAYING = 0.01
"""Share of cost or time that a use of the headroom has to save: less is lost in the width of the estimates."""

WORTH_A_CHANGE = 0.05
"""Share of cost or time that a second change has to save: below it, the first alone is the better advice."""

ORDER = (
    *("instance", "parallelism", "offload", "instances", "method", "quantisation", "checkpointing", "micro-batch"),
    *("loss", "attention", "optimizer", "length"),
)
"""The order in which two kinds of change are combined: a kind that changes the meaning of another comes first."""

FIT, ROOM = "fit", "room"

Trial = tuple[Change, Analysis]
"""A change, and the analysis of the changed spec."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The memory, time and cost of a job after a change. Time and cost are None where they are not known.

    `whole` is the cost without the runtime limit, where the limit may stop the job: being stopped early saves nothing.
    """

    change: Change
    memory: Memory
    time: Time | None
    cost: Cost | None
    whole: Cost | None = None

    @property
    def seconds(self) -> float | None:
        """Expected seconds of the whole job."""
        return self.time.total_seconds.expected if self.time else None

    @property
    def amount(self) -> float | None:
        """Expected cost of the whole job, in its currency."""
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
    """The recommended changes.

    Attributes:
        purpose: "fit" for a job that is not certain to fit, "room" for one that is.
        now: the current spec.
        outcomes: the changes, the best first; empty where none of those tried helps.
        tried: the number of changes that were planned.
    """

    purpose: str
    now: Outcome
    outcomes: tuple[Outcome, ...]
    tried: int


def advise(analysis: Analysis) -> Advice:
    """The changes that are worth recommending.

    To make a job fit: single changes after which it is certain to fit, and pairs of them on the same instance type, by
    expected cost, then expected time; if there are none, pairs with another instance type; if those do not help either,
    changes that make it tight. For a job that fits: single changes after which it still fits and that save cost, or
    time at no extra cost, by the amount saved; then longer rows, where examples are truncated. One change of each kind
    is shown before a second of the same kind. No change introduces an error that the spec does not have. Left out:
    three changes at once, and changes to the data, the model or the rank.

    Raises:
        NotKnownError: the memory that is needed or usable is not known.
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
    """Plans changed specs and counts them."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.tried = 0

    @cached_property
    def _acceptable(self) -> Callable[[Analysis], bool]:
        """Whether a changed spec may be recommended; only called for changes that would be shown."""
        return harmless(self.analysis)

    def ways_to_fit(self, verdict: Verdict) -> tuple[Outcome, ...]:
        """Single changes and pairs on the same instance type; else pairs on others; else changes that end up tight."""
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
        """Changes that save cost or time, then those that improve the result."""
        analysis = self.analysis
        trials = self._trials(larger(analysis.spec, analysis.plan, analysis.catalog))
        fitting = list(_judged(trials, Verdict.FITS))
        longer = [trial for trial in fitting if trial[0].kind == "length"]
        saving = [trial for trial in fitting if trial not in longer and _saves(now, _outcome(*trial))]
        return (*self._best(saving), *self._best(longer))[:SHOWN]

    def _pairs(self, single: Iterable[Trial]) -> Iterator[Trial]:
        """Pairs of changes of different kinds, where the first reduces memory by itself."""
        for first, analysis in _one_of_alike(single):
            if _fullness(analysis) >= _fullness(self.analysis):
                continue
            more = leaner(analysis.spec, analysis.plan)
            later = (change for change in more if ORDER.index(change.kind) > ORDER.index(first.kind))
            yield from self._trials(change.after(first) for change in later)

    def _trials(self, changes: Iterable[Change]) -> Iterator[Trial]:
        """Each change with the analysis of the changed spec, if its memory is known."""
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
        """The cheapest acceptable change of each kind; where there are few kinds, the cheapest on each GPU too."""
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
    """Whether one of the two changes is chosen already."""
    parts = pair[0].kind.split("+")
    return len(parts) > 1 and any(trial[0].kind in parts for trial in chosen)


def _kind(trial: Trial) -> tuple[str, ...]:
    return (trial[0].kind,)


def _kind_and_gpu(trial: Trial) -> tuple[str, ...]:
    change, analysis = trial
    hardware = analysis.plan.hardware
    return change.kind, hardware.gpu.name if hardware else ""


def _one_of_alike(trials: Iterable[Trial]) -> Iterator[Trial]:
    """The trials, with only the cheapest of the instance types that have the same GPUs.

    Any other change has the same effect on all of those.
    """
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
    """Expected cost, expected time, number of settings; an unknown value ranks last."""
    burden = 1 + WORTH_A_CHANGE * outcome.change.kind.count("+")
    return _rounded(outcome.amount, burden), _rounded(outcome.seconds, burden), len(outcome.change.settings)


def _rounded(value: float | None, burden: float) -> float:
    """The value times the burden, to three digits: smaller differences count as none, and the simpler change wins."""
    return float("inf") if value is None else float(f"{value * burden:.3g}")


def _saves(now: Outcome, then: Outcome) -> bool:
    """Whether a change saves money, or saves time and costs no more."""
    cost, time = _saved(now.amount, then.amount), _saved(now.seconds, then.seconds)
    if cost is not None and cost >= WORTH_SAYING:
        return True
    return time is not None and time >= WORTH_SAYING and (cost is None or cost >= 0)


def _saved(now: float | None, then: float | None) -> float | None:
    """The share saved; None where either value is not known."""
    return None if now is None or then is None or not now else 1 - then / now


def _fullness(analysis: Analysis) -> float:
    """The largest share of a GPU's usable memory that its tensors may take."""
    return max(device.peak_allocated.high / device.usable for device in analysis.memory.devices if device.usable)
