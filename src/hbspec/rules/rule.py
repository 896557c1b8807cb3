"""The shape of a rule: a module with a docstring, a `RULE` and a `check`. Its code and name are the module's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from hbspec.diagnostics import Confidence, Finding, Fix, Route, Severity
from hbspec.rules.causes import Beside

if TYPE_CHECKING:  # manual pages are read from the modules and do not need an analysis
    from hbspec.analysis import Analysis


class Rule(NamedTuple):
    """One defect. `Rule(__name__)` in `hb101_idle_gpus.py` has the code HB101 and the name idle-gpus.

    `beside` lists the rules whose findings explain this rule's: only the explaining finding of a cause is reported.
    `once` is for a rule that judges whole specs itself: it is not asked about a spec that only tries a change.
    """

    module: str
    severity: Severity = Severity.ERROR
    confidence: Confidence = Confidence.CERTAIN
    beside: tuple[Beside, ...] = ()
    once: bool = False

    @property
    def code(self) -> str:
        """The code, such as `HB101`."""
        return self.module.rpartition(".")[2].partition("_")[0].upper()

    @property
    def name(self) -> str:
        """The name, such as `idle-gpus`."""
        return self.module.rpartition(".")[2].partition("_")[2].replace("_", "-")

    def at(
        self,
        route: Route,
        message: str,
        action: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        fixes: tuple[Fix, ...] = (),
        cause: Route | None = None,
        instead: Iterable[Any] = (),
    ) -> Finding:
        """A finding of this rule at a route, with a message that says what disagrees and one action.

        `instead` holds values at the route that would remove the finding (None: the default), or a `Fix` for a value at
        another route.
        """
        return Finding(
            self.code,
            self.name,
            severity or self.severity,
            route,
            message,
            action,
            confidence or self.confidence,
            fixes,
            cause=cause,
            instead=tuple(one if isinstance(one, Fix) else Fix("", route, one) for one in instead),
        )


class RuleModule(Protocol):
    """The shape of every `hbNNN_name.py`."""

    RULE: Rule
    __doc__: str | None
    check: Callable[[Analysis], Iterator[Finding]]


@runtime_checkable
class AdvisingModule(RuleModule, Protocol):
    """A rule whose help is searched for: `advise` is only called for a finding that is shown.

    It takes the analysis, and a predicate: whether a changed spec has no error that the spec does not have.
    """

    advise: Callable[[Analysis, Callable[[Analysis], bool]], str]


def plain(value: Any) -> str:
    """A value as messages show it: numbers without a trailing `.0`."""
    return f"{value:g}" if isinstance(value, float) else str(value)
