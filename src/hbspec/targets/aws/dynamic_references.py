"""Text that CloudFormation replaces wherever it stands in a template, and that it cannot be told to leave alone.

A dynamic reference stands for a parameter or a secret of the account that the stack is made in. In a spec it is
ordinary text, which every other target passes on as it is.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hbspec.diagnostics import Finding, Route, route_text
from hbspec.targets.lowering.needs import refusal

BEGINS = re.compile(r"\{\{\s*resolve\s*:", re.IGNORECASE)
"""What a dynamic reference begins with, spelled as loosely as any reader may take it."""


def dynamic_references(values: Any, sent: Any, section: str, instead: str) -> list[Finding]:
    """A finding for every key of a spec whose text would be replaced in a template.

    Args:
        values: of the spec, plain data.
        sent: what the template is made of, plain data. A text that is not sent does no harm.
        section: what is named where the text stands in no key.
        instead: an imperative, the other way to the same.
    """
    held = [text for _, text in _texts(sent, ()) if BEGINS.search(text)]
    if not held:
        return []
    routes = [route for route, text in _texts(values, ()) if BEGINS.search(text) and any(text in one for one in held)]
    return [_refused(route, instead) for route in routes or [(section,)]]


def _refused(route: Route, instead: str) -> Finding:
    return refusal(
        "HB540",
        route,
        f"{route_text(route)} holds '{{{{resolve:', and CloudFormation would replace that text by a parameter or a "
        "secret of the account",
        f"remove it from {route_text(route)}, or {instead}",
    )


def _texts(value: Any, route: Route) -> Iterator[tuple[Route, str]]:
    """Every text in plain data, and where it is; keys are texts at their own place."""
    if isinstance(value, str):
        yield route, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*route, key), key
            yield from _texts(inner, (*route, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*route, index))
