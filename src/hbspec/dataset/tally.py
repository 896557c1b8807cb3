"""Similar findings, counted: a defect in ten thousand lines is one message that names the first few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hbspec.dataset.broken import Broken, Place
from hbspec.diagnostics import Confidence, Diagnostic, Position, Severity, Span
from hbspec.manual import Page
from hbspec.manual.data import FILE, LINE
from hbspec.units import counted

KEPT = 1000
"""Places, and placeholder names, that are kept per kind of finding; all are counted."""
SHOWN = 5
"""Kept places and names that a message shows."""
KINDS = 20
"""Reasons of one defect that are counted separately; further ones are counted together."""
OTHER = "for other reasons"

ACTIONS = {
    "HB050": "fix or delete the line",
    "HB051": "replace it by a complete file",
    "HB052": "reorder the turns, or delete the example",
    "HB053": "add the answer, or delete the turns after the last one",
    "HB054": "fill in the text, or delete the example",
    "HB055": "keep one of each",
    "HB056": "delete the examples from one of the splits",
    "HB057": "split by prompt, so that all answers to a prompt are in the same split",
    "HB058": "fill in the placeholders where the examples are generated, or delete the examples",
    "HB059": "move the field's information to the content, or train with your script",
    "HB060": "profile the data again with `hbspec data profile`",
    "HB061": "rename what is data, and move the rest elsewhere",
    "HB062": "correct the example, or use another template",
    "HB063": "convert Alpaca and ShareGPT with `hbspec data convert`; for another objective, train with your script",
    "HB064": "generate another rejected answer, or delete the pair",
    "HB065": "balance the lengths, or use a loss that is normalised by them",
}


@dataclass(slots=True)
class Tally:
    """One kind of finding in one split, counted.

    Attributes:
        defect: the manual page.
        what: the reason, in words that suit one place and many.
        severity: error or warning.
        split: name of the split.
        count: number of findings.
        places: the first `KEPT` of their places.
        names: placeholders at the places, with the number of examples that contain each.
        action: what to do; that of the defect if empty.
    """

    defect: Page
    what: str
    severity: Severity
    split: str
    count: int = 0
    places: list[Place] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    action: str = ""

    def diagnostic(self, examples: int) -> Diagnostic:
        """One diagnostic at the first place, for a split with this number of examples."""
        first = self.places[0]
        start = Position(max(first.line, 1), 1)
        return Diagnostic(
            code=self.defect.code,
            name=self.defect.name,
            severity=self.severity,
            confidence=Confidence.CERTAIN,
            file=first.file,
            route=(),
            span=Span(first.file, start, start) if first.line and first.noun == "line" else None,
            message=f"{self._where(examples)}: {self.what}{self._named()}" if first.line else self.what,
            help=self.action or ACTIONS[self.defect.code],
        )

    def to_dict(self) -> dict[str, Any]:
        """The entry in `hbspec data check --format json`, with up to `KEPT` places."""
        return {
            "code": self.defect.code,
            "split": self.split,
            "what": self.what,
            "count": self.count,
            "places": [{"file": place.file, place.noun: place.line} for place in self.places],
            "names": dict(self.names.most_common()),
        }

    def _where(self, examples: int) -> str:
        several = len({place.file for place in self.places}) > 1
        shown = [f"{place.file}:{place.line}" if several else str(place.line) for place in self.places[:SHOWN]]
        if self.count > len(shown):
            shown.append("…")
        lines, one = ", ".join(shown), self.places[0].noun
        noun = one if self.count == 1 else {"entry": "entries"}.get(one, f"{one}s")
        if self.defect not in (LINE, FILE):
            return f"{self.count:,} of {counted(examples, 'example')} ({noun} {lines})"
        return f"{noun} {lines}" if self.count == 1 else f"{self.count:,} {noun} ({lines})"

    def _named(self) -> str:
        names = [name for name, _ in self.names.most_common(SHOWN)]
        more = ", …" if len(self.names) > len(names) else ""
        return f", {', '.join(names)}{more}" if names else ""


class Tallies:
    """The findings of one split, counted by kind."""

    def __init__(self, split: str) -> None:
        self._split = split
        self._kinds: dict[tuple[str, str], Tally] = {}

    def add(self, defect: Page, what: str, place: Place, severity: Severity | None = None, action: str = "") -> Tally:
        """Count one finding, and return the tally of its kind."""
        tally = self._of(defect, what, severity, action)
        tally.count += 1
        if len(tally.places) < KEPT:
            tally.places.append(place)
        return tally

    def join(self, other: Tallies, lines: int = 0) -> None:
        """Count the findings of another part of the split; its lines have numbers that are higher by so many."""
        for each in other:
            tally = self._of(each.defect, each.what, each.severity, each.action)
            tally.count += each.count
            room = KEPT - len(tally.places)
            tally.places += [place._replace(line=place.line + lines) for place in each.places[:room]]

    def _of(self, defect: Page, what: str, severity: Severity | None, action: str) -> Tally:
        kind = (defect.code, what)
        if kind not in self._kinds and sum(code == defect.code for code, _ in self._kinds) >= KINDS:
            kind = (defect.code, OTHER)
        tally = self._kinds.get(kind)
        if tally is None:
            tally = self._kinds[kind] = Tally(defect, kind[1], severity or defect.severity, self._split, action=action)
        return tally

    def broken(self, broken: Broken) -> None:
        """Count an unusable line or file."""
        self.add(FILE if broken.rest else LINE, broken.reason, broken.place, action=broken.advice)

    def name(self, tally: Tally, name: str) -> None:
        """Count a placeholder name in a tally."""
        if name in tally.names or len(tally.names) < KEPT:
            tally.names[name] += 1

    def __iter__(self) -> Iterator[Tally]:
        return iter(self._kinds.values())
