"""Values of data files to examples, all of one layout, under the names that their columns have.

Only the standard library is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from broken import Broken, Place
from layouts import NAMES, made, needed_columns, of_type, read_columns, recognised, said
from records import Layout, Record, quoted

COLUMNS_SHOWN = 8
APART = "move the examples of other types to data of their own"
CONVERT = "convert the data with `hbspec data convert`"


class Naming(NamedTuple):
    """What says the type of the data, and the names of their columns, where a reader is used: for its actions.

    Attributes:
        type: a setting, or an option; None where the first example says it.
        columns: likewise.
    """

    type: str | None = None
    columns: str = "--column"


class Reader:
    """Makes examples of values, all of one layout: the one that is given, or that of the first that is recognised.

    Attributes:
        layout: what all examples are; None as long as it is not known.
        beside: columns of the first example that its type does not read.
        later: columns of other types that the last example has and the first had not: they are not read.
        unseen: columns that were named, and that no example had.
    """

    def __init__(
        self,
        layout: Layout | None = None,
        columns: Mapping[str, str] | None = None,
        kind: str | None = None,
        naming: Naming | None = None,
    ) -> None:
        """With the layout of the data, the names of their columns by those of the type, and the type if only that."""
        self.layout = layout
        self.beside: tuple[str, ...] = ()
        self.later: tuple[str, ...] = ()
        self.unseen = set((columns or {}).values())
        self.naming = naming or Naming()
        self._columns = dict(columns or {})
        self._kind = kind
        self._first: frozenset[str] | None = None

    @property
    def flags(self) -> frozenset[str]:
        """The columns of a file that hold true or false, where texts are all that a file can hold."""
        return frozenset({self._columns.get("label", "label")})

    def __call__(self, value: Any, place: Place) -> Record | Broken:
        """The example of a value, or why it is not one."""
        if not self._columns or not isinstance(value, dict):
            return self.example(value, place)
        renamed = {ours: value[theirs] for ours, theirs in self._columns.items() if theirs in value}
        named = {key: held for key, held in value.items() if key not in self._columns.values()} | renamed
        if len(renamed) < len(self._columns):
            missing = self._missing(named)
            if missing is not None:
                reason = f"the {place.noun} has no column {quoted(repr(missing))}{_columns_of(value)}"
                return Broken(place, reason, action=f"correct {self.naming.columns}")
        if self.unseen:
            self.unseen -= value.keys()
        return self.example(named, place)

    def unseen_columns(self) -> str | None:
        """The columns that were named and that no example had, in words; None if every one was there."""
        names = ", ".join(quoted(repr(name)) for name in sorted(self.unseen))
        return f"no example has the column {names}" if names else None

    def _missing(self, named: Mapping[str, Any]) -> str | None:
        """The first column that is named, needed and not there: left out, it would leave an example of another type."""
        layout, kind = self.layout, self._kind
        if layout is None:
            layout = recognised({**named, **self._columns}) if kind is None else Layout(kind, "")
        needed = needed_columns(layout)
        return next((theirs for ours, theirs in self._columns.items() if ours in needed and ours not in named), None)

    def example(self, value: Any, place: Place) -> Record | Broken:
        """The same of a value whose columns have the names of the type."""
        if self.layout is None:
            self.layout = recognised(value) if self._kind is None else of_type(self._kind, value)
            if self.layout is None:
                return Broken(place, _unknown(value, place), action=self._named(value))
            self.beside = tuple(sorted(map(str, value.keys() - NAMES)))
        found = made(value, place, self.layout)
        if isinstance(found, Broken):
            return self._other(found, value)
        if value.keys() != self._first:
            if self._first is None:
                self._first = frozenset(value)
            self.later = self._unread(value)
        elif self.later:
            self.later = ()
        return found

    def _unread(self, value: Mapping[str, Any]) -> tuple[str, ...]:
        """Columns of other types than this one that the first example had not."""
        new = (NAMES & value.keys()) - (self._first or frozenset()) - read_columns(self.layout)
        return tuple(sorted(name for name in new if value[name] is not None))

    def _other(self, found: Broken, value: Any) -> Broken:
        """What is broken, with what it is instead, where that is known, and what to do."""
        other = recognised(value)
        if other == self.layout or not isinstance(value, dict) or not value:
            return found
        if other is None:
            return replace(found, reason=f"{found.reason}{_columns_of(value)}", action=self._named(value))
        reason = f"{found.reason}: it is {said(other)}, and not {said(self.layout or other)}"
        if self._first is not None or self.naming.type is None:
            return replace(found, reason=reason, action=APART)
        action = f"set {self.naming.type} to the type of the data" if other.format else CONVERT
        return replace(found, reason=reason, action=action)

    def _named(self, value: Any) -> str:
        return f"name them by {self.naming.columns}" if isinstance(value, dict) and value else ""


def _unknown(value: Any, place: Place) -> str:
    if not isinstance(value, dict):
        return f"the {place.noun} is not a map"
    return f"the columns {_names(value)} are those of no dataset type" if value else f"the {place.noun} is empty"


def _columns_of(value: Mapping[str, Any]) -> str:
    return f"; its columns are {_names(value)}" if value else ""


def _names(value: Mapping[str, Any]) -> str:
    names = [quoted(str(name)) for name in list(value)[:COLUMNS_SHOWN]]
    return ", ".join([*names, *(["…"] if len(value) > len(names) else [])])
