"""What a spec leaves open, and what is taken instead: each default is noted, so that it can be listed."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from hbspec.catalog import Architecture
from hbspec.diagnostics import Route
from hbspec.plan.defaults import Working
from hbspec.plan.shipped_script import TEMPLATE
from hbspec.spec import Section

T = TypeVar("T")

LANGUAGE = "the language's default"


class Assumption(NamedTuple):
    """A value that the spec leaves open and that memory, time or money depends on.

    Attributes:
        source: why it is this value.
        differs: whether the script would take another one by itself, so that the compiled job has to write it out.
    """

    route: Route
    value: Any
    source: str
    differs: bool = False


class Choices:
    """Takes the author's value where there is one, and notes the default where there is none."""

    def __init__(self) -> None:
        self.assumptions: list[Assumption] = []

    def note(self, route: Route, value: Any, source: str) -> None:
        """Note a value that was assumed."""
        self.assumptions.append(Assumption(route, value, source))

    def take(self, value: T | None, route: Route, default: T, source: str, works: Working | None = None) -> T:
        """The author's value, or the default; or what works, where the default would fail."""
        if value is not None:
            return value
        chosen: T = works.value if works else default
        reason = works.reason if works else source
        self.assumptions.append(Assumption(route, chosen, reason, differs=chosen != default))
        return chosen

    def note_tower(self, architecture: Architecture | None, *, shipped: bool) -> None:
        """Note that nothing is trained of a tower, which text does not go through."""
        if architecture is not None and architecture.tower:
            self.note(("model", "tower"), "frozen", TEMPLATE if shipped else "text goes past it")

    def note_language_defaults(self, section: Section, above: Route, *keys: str) -> None:
        """Note those keys of a section that the author left to the language's default."""
        for key in keys:
            if key not in section.model_fields_set:
                self.note((*above, key), getattr(section, key), LANGUAGE)
