"""The cheapest changes that make a job fit, or the best uses of the memory that is left, each planned again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hbspec.analysis.analysis import Analysis
from hbspec.analysis.chains import chains
from hbspec.analysis.change import Change
from hbspec.analysis.changes import larger, smaller, trains_otherwise
from hbspec.analysis.pairs import following
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.training.devices import Memory
from hbspec.estimators.verdict import Verdict
from hbspec.rules.harmless import harmless
from hbspec.search.trial import Burden, Trial, saves

SHOWN = 3
"""The largest number of changes shown."""

FIT, ROOM = "fit", "room"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The memory, time and cost of a job after a change."""

    change: Change
    memory: Memory
    burden: Burden

    def to_dict(self) -> dict[str, Any]:
        """One of the `changes` of `hbspec estimate --format json`."""
        time, bill = self.burden.time, self.burden.cost
        whole = self.burden.whole or bill
        return {
            "set": self.change.to_dict(),
            "remark": self.change.remark,
            "verdict": self.memory.verdict,
            "process_bytes": self.memory.fullest.to_dict()["process_bytes"],
            "time_seconds": time and time.total_seconds.to_dict(),
            "cost": bill and bill.amounts(),
            "cost_to_the_end": whole and whole.amounts(),
            "expected_to_be_stopped": time and time.stopped_at("expected"),
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
    expected cost, then expected time; where none of them keeps the training the same, several at once that do; if there
    are none, pairs with another instance type; if those do not help either,
    changes that make it tight, and not expected to fail. For a job that fits: single changes after which it still fits
    and that save cost, or time at no extra cost, by the amount saved; then longer rows, where examples are truncated.
    One change of each kind is shown before a second of the same kind. No change introduces an error that the spec does
    not have. Where a record of the job was measured, it decides the verdict only: changed jobs were not measured, so
    that time and cost of every change are compared with what is estimated without the record. Left out: other
    changes of three kinds at once, and changes to the data, the model or the rank.

    Raises:
        NotKnownError: the memory that is needed or usable is not known.
    """
    verdict = analysis.memory_verdict
    if verdict is Verdict.UNKNOWN:
        raise NotKnownError("the usable memory of the GPU")
    unmeasured = analysis if analysis.measurement is None else replace(analysis, measurement=None)
    search, fits = _Search(unmeasured), verdict is Verdict.FITS
    found = search.uses_of_room() if fits else search.ways_to_fit(verdict)
    return Advice(ROOM if fits else FIT, _outcome(search.now), tuple(map(_outcome, found)), search.tried)


class _Search:
    """Plans changed specs and counts them."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.now = Trial(Change("", {}), analysis)
        self.tried = 0

    @cached_property
    def _acceptable(self) -> Callable[[Analysis], bool]:
        """Whether a changed spec may be recommended; only called for changes that would be shown."""
        return harmless(self.analysis)

    def ways_to_fit(self, verdict: Verdict) -> tuple[Trial, ...]:
        """Single changes and pairs on the same instance type; else pairs on others; else changes that end up tight."""
        single = list(self._trials(smaller(self.analysis.spec, self.analysis.plan, self.analysis.catalog)))
        here = list(self._pairs(trial for trial in single if trial.change.kind != "instance"))
        found = self._best([*single, *here], Verdict.FITS)
        if all(trains_otherwise(trial.change, self.analysis.plan) for trial in found):
            found = self._best([*single, *here, *self._chained()], Verdict.FITS)
        if found:
            return found
        pairs = [*here, *self._pairs(trial for trial in single if trial.change.kind == "instance")]
        found = self._best(pairs, Verdict.FITS)
        if found or verdict is Verdict.TIGHT:
            return found
        return self._best(single, Verdict.TIGHT) or self._best(pairs, Verdict.TIGHT)

    def uses_of_room(self) -> tuple[Trial, ...]:
        """Changes that save cost or time, then those that improve the result."""
        analysis = self.analysis
        trials = list(self._trials(larger(analysis.spec, analysis.plan, analysis.catalog)))
        longer = [trial for trial in trials if trial.change.kind == "length"]
        saving = [trial for trial in trials if trial not in longer and saves(self.now.burden, trial.burden)]
        found = self._best(saving, Verdict.FITS)
        return (*found, *(self._best(longer, Verdict.FITS) if len(found) < SHOWN else ()))[:SHOWN]

    def _pairs(self, single: Iterable[Trial]) -> Iterator[Trial]:
        """Pairs of changes of different kinds, where the first reduces memory by itself."""
        for first in _one_of_alike(single):
            if first.fullness >= self.now.fullness:
                continue
            yield from self._trials(following(first.change, first.analysis.spec, first.analysis.plan))

    def _chained(self) -> Iterator[Trial]:
        """Several changes that keep the training the same, where they make the job fit."""
        return self._trials(chains(self.analysis, lambda changed: _ends(changed, Verdict.FITS)))

    def _trials(self, changes: Iterable[Change]) -> Iterator[Trial]:
        """Each change with the analysis of the changed spec, if its memory is known."""
        for change in changes:
            self.tried += 1
            trial = Trial(change, replace(self.analysis, spec=change.applied(self.analysis.spec)))
            try:
                known = trial.fullness > 0
            except NotKnownError:
                continue
            if known:
                yield trial

    def _best(self, trials: Iterable[Trial], verdict: Verdict) -> tuple[Trial, ...]:
        """The cheapest acceptable change of each kind; where there are few kinds, the cheapest on each GPU too.

        The cheapest first, since a verdict takes longer than a price; those that train otherwise come last.
        """
        ranked = sorted(trials, key=self._order)
        chosen: list[Trial] = []
        for distinct in (_kind, _kind_and_gpu):
            taken = {distinct(trial) for trial in chosen}
            for trial in ranked:
                if len(chosen) == SHOWN:
                    break
                new = distinct(trial) not in taken and not _contains(trial, chosen)
                if new and _ends(trial.analysis, verdict) and self._acceptable(trial.analysis):
                    taken.add(distinct(trial))
                    chosen.append(trial)
        return tuple(sorted(chosen, key=self._order))

    def _order(self, trial: Trial) -> tuple[Any, ...]:
        """By rank, but what trains otherwise after everything that trains the same."""
        return trains_otherwise(trial.change, self.analysis.plan), trial.rank


def _ends(analysis: Analysis, verdict: Verdict) -> bool:
    """Whether it has a verdict; what is tight must not be expected to fail."""
    return analysis.memory_verdict is verdict and (
        verdict is not Verdict.TIGHT or not analysis.memory.fullest.expected_to_fail
    )


def _contains(pair: Trial, chosen: Iterable[Trial]) -> bool:
    """Whether one of the two changes is chosen already."""
    parts = pair.change.kind.split("+")
    return len(parts) > 1 and any(trial.change.kind in parts for trial in chosen)


def _kind(trial: Trial) -> tuple[str, ...]:
    return (trial.change.kind,)


def _kind_and_gpu(trial: Trial) -> tuple[str, ...]:
    hardware = trial.analysis.plan.hardware
    return trial.change.kind, hardware.gpu.name if hardware else ""


def _one_of_alike(trials: Iterable[Trial]) -> Iterator[Trial]:
    """The trials, with only the cheapest of the instance types that have the same GPUs.

    Any other change has the same effect on all of those.
    """
    seen: set[tuple[Any, ...]] = set()
    for trial in sorted(trials, key=lambda trial: trial.rank):
        plan = trial.analysis.plan
        if trial.change.kind == "instance" and plan.hardware is not None:
            alike = (plan.hardware.gpu.name, plan.hardware.gpus, plan.parallelism)
            if alike in seen or trial.analysis.host.verdict is Verdict.DOES_NOT_FIT:
                continue
            seen.add(alike)
        yield trial


def _outcome(trial: Trial) -> Outcome:
    return Outcome(trial.change, trial.analysis.memory, trial.burden)
