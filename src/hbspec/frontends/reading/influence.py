"""What the keys of a framework influence: the table `known/influence.csv`, one row a key.

A key that the table does not have is not known to be harmless. A key inside a mapping is named with those above it:
`fsdp_config.backward_prefetch`; `environment.*` is every other key inside of one.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Set
from functools import cache
from pathlib import Path
from typing import NamedTuple

from hbspec.diagnostics import Route

TABLE = Path(__file__).resolve().parents[1] / "known" / "influence.csv"
SHARED = "transformers"
"""Whose rows count for every framework that runs transformers' `TrainingArguments` or FSDP."""
READ, NOTHING, TIME, GONE = "read", "none", "time", "gone"
MEMORY = ("less", "more", "either")


class Influence(NamedTuple):
    """What one key influences.

    Attributes:
        on: `READ`: the front end reads it where it counts; `NOTHING` here; `TIME` only; `GONE`: the program stops at
            it, and says so; or memory, of which the job may need "less", "more" or "either" than is estimated without
            it.
        does: what it does, where it influences memory.
        unless: values with which it influences nothing, in lower case.
    """

    on: str
    does: str = ""
    unless: tuple[str, ...] = ()


UNSORTED = Influence("either", "is not known to be harmless")


class ProgramKeys(NamedTuple):
    """The keys of a framework.

    Attributes:
        program: its name in messages, with the version whose keys these are.
        known: every key.
        sorted: what they influence, by key.
        aliases: keys of earlier versions, by the key that took their place.
        nested: whether `known` has keys inside mappings, too, named with those above them.
        open: whether the program may have keys that are not known, since their list is not public.
    """

    program: str
    known: Set[str]
    sorted: Mapping[str, Influence]
    aliases: Mapping[str, str] = {}
    nested: bool = False
    open: bool = False

    def lacks(self, route: Route) -> bool:
        """Whether the program does not have a key; inside a mapping, where the lists say what is there."""
        if len(route) == 1:
            return route[0] not in self.known
        beside = self.beside(route) if self.nested and not any(isinstance(part, int) for part in route) else ()
        return str(route[-1]) not in beside if beside else False

    def beside(self, route: Route) -> Set[str]:
        """The keys that the program has where this one stands."""
        if not self.nested:
            return self.known
        above = "".join(f"{part}." for part in route[:-1])
        below = (key.removeprefix(above) for key in self.known if key.startswith(above))
        return {key for key in below if "." not in key}

    def influence(self, *keys: str) -> Influence:
        """What a key influences, named with those above it."""
        *above, last = keys
        for name in (last, last.removeprefix("fsdp_"), *(["*"] if above else [])):
            found = self.sorted.get(".".join((*above, name)))
            if found is not None:
                return found
        return UNSORTED


@cache
def influences(*programs: str) -> Mapping[str, Influence]:
    """What the keys of some programs influence; a row of a later one counts above those before."""
    found: dict[str, dict[str, Influence]] = {program: {} for program in programs}
    with TABLE.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        for program, key, on, does, unless in rows:
            if program in found:
                found[program][key] = Influence(on, does, tuple(unless.split("|")) if unless else ())
    return {key: influence for program in programs for key, influence in found[program].items()}
