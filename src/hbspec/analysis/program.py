"""What another program chose, where the spec is made of its file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hbspec.plan import Assumption
from hbspec.source import Document


def assumed_by_program(document: Document) -> Iterator[Assumption]:
    """The defaults of the program whose file this is; what replaced one of them has a place of its own."""
    for route, source in document.translated.defaults.items() if document.translated else ():
        if route not in document.spans:
            yield Assumption(route, _value(document.values, route), source)


def _value(values: Any, route: tuple[str | int, ...]) -> Any:
    for part in route:
        values = values[part]
    return values
