"""Whether a plan may be recommended: it is certain to fit, within the limits, and no rule has an error."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change, Settings
from hbspec.diagnostics import Diagnostic, NotKnownError, Severity
from hbspec.estimators.job.time import runtime_limit
from hbspec.estimators.training.devices import Memory
from hbspec.estimators.verdict import Verdict
from hbspec.rules.engine import all_rules, explained, findings_again, place
from hbspec.search.burden import Burdens, burdens
from hbspec.search.choice import Choice
from hbspec.search.claims_given_up import ClaimsGivenUp
from hbspec.search.sameness import trained_otherwise
from hbspec.search.space import Space

BY_PLACE = ("HB112", "HB113", "HB302")
"""Rules whose errors follow from the instances, their number and place, and the author's limits alone."""

OF_LIMITS = ("HB301", "HB303")
"""Rules that compare time and cost with the author's limits."""

UNCERTAIN = frozenset({"HB110", "HB114", "HB125", "HB126", "HB127", "HB301", "HB303"})
"""Rules that warn where a job may break a limit, and have an error where it certainly does."""

MEMORY, TIGHT, HOST, DISK = "memory", "tight", "host_memory", "disk"
TRAINING, MAX_COST, MAX_TIME, UNKNOWN = "other_training", "max_cost", "max_time", "not_known"


class Recommended(NamedTuple):
    """A plan that may be recommended.

    Attributes:
        choice: the plan.
        change: the settings that make it, with the claims deleted that do not hold for it.
        analysis: the changed spec.
        burdens: what it takes.
        warnings: the codes of warnings about it.
        claims: the claims about the unchanged spec that do not hold, or are not certain to hold, for it.
    """

    choice: Choice
    change: Change
    analysis: Analysis
    burdens: Burdens
    warnings: tuple[str, ...]
    claims: tuple[str, ...]


class NotRecommendedError(Exception):
    """Why a plan is not recommended, in one word or as the code of a rule."""


class Judge:
    """Judges the plans of a space; a verdict on memory is shared by all plans that have the same on their GPUs.

    Args:
        space: the plans.
    """

    def __init__(self, space: Space) -> None:
        self._space, self._request = space, space.request
        self._verdicts: dict[Hashable, Verdict] = {}
        self._memories: dict[Hashable, Memory] = {}
        self._barred: dict[Hashable, str | None] = {}
        self._claims = ClaimsGivenUp(space.analysis)

    def recommended(self, choice: Choice, taken: Burdens | None = None) -> Recommended:
        """The plan with what it takes.

        Args:
            choice: the plan.
            taken: what it takes, where that is calculated already.

        Raises:
            NotRecommendedError: it may not be recommended.
        """
        analysis, change = self._space.planned(choice), self._space.change(choice)
        try:
            if taken is None:
                taken = burdens(analysis)
            else:
                vars(analysis)["time"] = taken.time._replace(limit=runtime_limit(analysis.plan))
            self._same(choice, analysis)
            usable = analysis.plan.require("hardware").gpu.usable_bytes
            # the high ends: a plan that may break a limit is not recommended
            beyond = self.beyond(taken.cost.high, taken.time.total_seconds.high)
            if (reason := beyond or self.barred(choice) or self.too_full(usable, taken.headroom)) is not None:
                raise NotRecommendedError(reason)
            if (code := first_found(analysis, OF_LIMITS, self._refused)) is not None:  # before memory, which takes long
                raise NotRecommendedError(code)
            self._fits(choice, analysis)
        except NotKnownError as reason:
            raise NotRecommendedError(UNKNOWN) from reason
        without, claims = self._claims.without(analysis)
        deleted: Settings = {("expect", claim): None for claim in claims}
        whole = Change(change.kind, {**change.settings, **deleted}, change.remark)
        return Recommended(choice, whole, without, taken, self._warnings(without), claims)

    def _same(self, choice: Choice, analysis: Analysis) -> None:
        if trained_otherwise(self._space.base_plan(choice.group.variant), analysis.plan):
            raise NotRecommendedError(TRAINING)

    def beyond(self, amount: float | Decimal, seconds: float) -> str | None:
        """The limit of the request that a cost or a time is above; None where it is within both."""
        most, longest = self._request.max_cost, self._request.max_seconds
        if most is not None and amount > most.amount:
            return MAX_COST
        return MAX_TIME if longest is not None and seconds > longest else None

    def barred(self, choice: Choice) -> str | None:
        """The first error of the rules of `BY_PLACE`, which are asked once for all plans on the same instances."""
        key = (choice.group.machine.type, choice.group.machine.number, choice.place)
        if key not in self._barred:
            self._barred[key] = first_found(self._space.planned(choice), BY_PLACE, is_error)
        return self._barred[key]

    def too_full(self, usable: int | None, free: float) -> str | None:
        """Why plans that leave no more than a share free of a GPU are not recommended; None where they may be.

        The author's alarm on GPU memory is compared with the tensors alone, which takes less time than with the whole
        process.
        """
        if "tight" in self._request.allow:
            return None
        if free < 0:
            return MEMORY
        monitoring = self._space.analysis.spec.monitoring
        alarm = monitoring and monitoring.gpu_memory
        return "HB110" if alarm and usable and (1 - free) * usable > alarm.max else None

    def _fits(self, choice: Choice, analysis: Analysis) -> None:
        group = choice.group
        machine = (group.machine.gpu, group.machine.gpus, group.machine.number, group.machine.type is None)
        key = (group.variant, machine, group.way, group.checkpointing, group.attention, choice.batch)
        self._certain(analysis.host.verdict, HOST)
        self._certain(analysis.storage.verdict, DISK)
        if key in self._memories:  # which takes long, and is the same at another price
            vars(analysis)["memory"] = self._memories[key]
        if key not in self._verdicts:
            self._verdicts[key] = analysis.memory.verdict if self._reads_memory else analysis.memory_verdict
        vars(analysis)["memory_verdict"] = self._verdicts[key]
        self._certain(self._verdicts[key], TIGHT)
        if self._reads_memory:
            self._memories[key] = analysis.memory

    @cached_property
    def _reads_memory(self) -> bool:
        """Whether the whole memory is read of every plan, and not the verdict alone, which takes less time."""
        spec = self._space.analysis.spec
        watched = spec.monitoring is not None and spec.monitoring.gpu_memory is not None
        return watched or any(key.startswith("training.memory") for key in spec.expect)

    def _certain(self, verdict: Verdict, otherwise: str) -> None:
        """Refuse what is not certain to fit; what is tight only where it is not allowed."""
        if verdict is Verdict.FITS or (verdict is Verdict.TIGHT and "tight" in self._request.allow):
            return
        raise NotRecommendedError(MEMORY if verdict is Verdict.DOES_NOT_FIT and otherwise == TIGHT else otherwise)

    def _refused(self, entry: Diagnostic) -> bool:
        """Whether a finding excludes a plan: an error, or a warning that a limit may be broken."""
        uncertain = frozenset[str]() if "tight" in self._request.allow else UNCERTAIN
        return is_error(entry) or (entry.code in uncertain and entry.severity is Severity.WARNING)

    def _warnings(self, analysis: Analysis) -> tuple[str, ...]:
        """The codes of the warnings about a plan.

        Raises:
            NotRecommendedError: a rule has an error, or warns that a limit may be broken.
        """
        found, skipped = findings_again(analysis)
        report = place(analysis.document, found, skipped, explained())
        for entry in sorted(report.diagnostics, key=lambda entry: entry.code):
            if self._refused(entry):
                raise NotRecommendedError(entry.code)
        return tuple(sorted({one.code for one in report.diagnostics if one.severity is Severity.WARNING}))


def first_found(analysis: Analysis, codes: Iterable[str], counts: Callable[[Diagnostic], bool]) -> str | None:
    """The first of some rules that has a finding about a spec which counts."""
    for module in all_rules():
        if module.RULE.code in codes:
            try:
                found = place(analysis.document, module.check(analysis)).diagnostics
            except NotKnownError:
                continue
            if any(map(counts, found)):
                return module.RULE.code
    return None


def codes_of(analysis: Analysis) -> dict[Severity, tuple[str, ...]]:
    """The codes of what all rules find about a changed spec, by severity."""
    found, skipped = findings_again(analysis)
    shown = place(analysis.document, found, skipped, explained()).diagnostics
    by = {severity: {entry.code for entry in shown if entry.severity is severity} for severity in Severity}
    return {severity: tuple(sorted(codes)) for severity, codes in by.items()}


def is_error(entry: Diagnostic) -> bool:
    """Whether a finding is an error."""
    return entry.severity is Severity.ERROR
