"""The keys that two versions of a spec set to different values, wherever `extends` takes them from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hbspec.diagnostics import Route, route_text
from hbspec.showing.scalars import scalar_text
from hbspec.showing.secrets import redact, redact_route
from hbspec.source import Document

LONGEST = 80
"""Characters of a value that are shown."""


class ChangedKey(NamedTuple):
    """A key with its old and its new value.

    Attributes:
        route: the key.
        old: the value as its author spelled it, without credentials; None where the old version does not set it.
        new: the same of the new version.
        file: the spec file that sets the new value, or that set the old one; None where no file does.
    """

    route: Route
    old: str | None
    new: str | None
    file: str | None

    def to_dict(self) -> dict[str, Any]:
        """One of the `keys` of `hbspec diff --format json`."""
        return {"route": list(redact_route(self.route)), "old": self.old, "new": self.new, "file": self.file}


def changed_keys(old: Document, new: Document) -> tuple[ChangedKey, ...]:
    """Every scalar that differs, by route, in the order of the new version; then those that it no longer sets."""
    before, after = dict(_scalars(old.values, ())), dict(_scalars(new.values, ()))
    routes = (*after, *(route for route in before if route not in after))
    return tuple(
        _changed(route, old, new, before, after)
        for route in routes
        if route not in before or route not in after or not _same(before[route], after[route])
    )


def _changed(
    route: Route, old: Document, new: Document, before: Mapping[Route, Any], after: Mapping[Route, Any]
) -> ChangedKey:
    was = _text(old, route, before[route]) if route in before else None
    now = _text(new, route, after[route]) if route in after else None
    span = (new if route in after else old).spans.get(route)
    return ChangedKey(route, was, now, span.file if span else None)


def _same(one: Any, other: Any) -> bool:
    """Whether two scalars are one value: 1 and 1.0 are, 1 and true are not."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _scalars(value: Any, route: Route) -> Iterator[tuple[Route, Any]]:
    """Each scalar, and each empty mapping or list."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _scalars(part, (*route, key))
    elif isinstance(value, list) and value:
        for number, part in enumerate(value):
            yield from _scalars(part, (*route, number))
    else:
        yield route, value


def _text(document: Document, route: Route, value: Any) -> str:
    spelled = document.spellings.get(route) or scalar_text(value)
    name = route_text(route)
    clean = redact(f"{name}: {spelled}")[len(name) + 2 :]
    return clean if len(clean) <= LONGEST else f"{clean[: LONGEST - 1]}…"
