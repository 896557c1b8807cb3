"""A change to a spec as one action in words."""

from __future__ import annotations

from hbspec.analysis.change import Change
from hbspec.diagnostics import Route, route_text
from hbspec.showing.scalars import listed, scalar_text

IN_SEVERAL_SECTIONS = frozenset({"type", "count", "price", "loss"})
"""Keys that another section has too, so that their own section is named with them."""


def action(change: Change) -> str:
    """The action, and any other effect on the result.

    >>> action(Change("offload", {("instance", "offload"): None, ("instance", "count"): 2}))
    'set instance.count to 2 and remove offload'
    """
    written = [f"{key(route)} to {scalar_text(value)}" for route, value in change.settings.items() if value is not None]
    removed = [key(route) for route, value in change.settings.items() if value is None]
    parts = [f"{verb} {listed(keys)}" for verb, keys in (("set", written), ("remove", removed)) if keys]
    said = (", and " if len(written) > 1 else " and ").join(parts)
    return f"{said} ({change.remark})" if change.remark else said


def key(route: Route) -> str:
    """A key by its name, with its section where another has the same key."""
    name = str(route[-1])
    return route_text(route) if name in IN_SEVERAL_SECTIONS else name
