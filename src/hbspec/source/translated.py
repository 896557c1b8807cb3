"""What is known of a document that was not written as a spec: whose file it is, and what its program chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from hbspec.diagnostics import Finding, Route, Span
from hbspec.source.nodes import MapNode
from hbspec.source.problems import Problems

NO_ROUTES: Mapping[Route, str] = {}


class Translated(NamedTuple):
    """A file of another program, read as a spec.

    Attributes:
        program: the program's name, as it spells it.
        defaults: where each value comes from that the file leaves to its program, by the value's route.
        findings: what was not understood, at routes that begin with the program: `("axolotl", "qat")`.
        spans: the places of those routes in the file.
        unread: keys that influence memory and are not estimated, each with "less", "more" or "either": what they may
            make of the memory that is estimated without them.
        guessed: routes of values that nobody said, of which nothing is found wrong.
    """

    program: str
    defaults: Mapping[Route, str] = NO_ROUTES
    findings: tuple[Finding, ...] = ()
    spans: Mapping[Route, Span] = {}
    unread: tuple[tuple[str, str], ...] = ()
    guessed: frozenset[Route] = frozenset()

    def may_need(self, other: str) -> str:
        """The keys because of which the job may need "less" or "more" memory than is estimated, as words."""
        return ", ".join(f"{self.program}'s {key}" for key, change in self.unread if change in (other, "either"))


class FileReader(Protocol):
    """Reads the text of a file that may be another program's, and files beside it."""

    def read(self, text: str, file: str, problems: Problems) -> MapNode | None:
        """The tree of a spec; None, with the reason in `problems`, if there is none."""

    def beside(self, text: str, file: str, problems: Problems) -> MapNode | None:
        """The part of a spec that a file beside it gives; None, with the reason in `problems`, if there is none."""

    def settled(self, tree: MapNode) -> MapNode:
        """The tree with what depends on values from several files."""

    @property
    def translated(self) -> Translated | None:
        """What is known of the file; None if it is a spec."""


NOTHING_BESIDE: Sequence[str] = ()
