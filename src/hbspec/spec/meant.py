"""A document with misspelt keys and words read as what they probably mean, so that no typo hides another finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from hbspec.diagnostics import Finding, Renamed, Route
from hbspec.source import Document
from hbspec.source.edited_document import with_settings
from hbspec.spec.read import UNKNOWN_KEY, read, resembled
from hbspec.spec.sections import Spec

T = TypeVar("T")

MOST_ROUNDS = 3
"""Rounds after which a document is given up: keys below a misspelt section are seen only once that is read."""


class Meant(NamedTuple):
    """What a document probably means.

    Attributes:
        document: it, with every place that the written one has.
        spec: its spec.
        findings: what keeps the written one from being a spec; each says what the rest is judged with.
    """

    document: Document
    spec: Spec
    findings: tuple[Finding, ...]


def meant(document: Document, findings: Iterable[Finding]) -> Meant | None:
    """What a document that does not validate probably means.

    A misspelt key counts under the name that it resembles, and an unknown one not at all; a misspelt word counts as
    the choice that it resembles.

    Args:
        document: a spec, not the file of another program.
        findings: what `read` returns for it.

    Returns:
        None where something is missing, or has a value that could mean anything.
    """
    said: tuple[Finding, ...] = ()
    for _ in range(MOST_ROUNDS):
        findings = list(findings)
        if not all(finding.fixes or finding.code == UNKNOWN_KEY for finding in findings):
            return None
        settings: dict[Route, Any] = {}
        for finding in findings:
            settings[finding.route] = _setting(finding, with_settings(document.values, settings))
        document = _settled(document, settings)
        said += tuple(_explained(finding, settings[finding.route]) for finding in findings)
        typed = read(document)
        if isinstance(typed, Spec):
            return Meant(document, typed, said)
        findings = typed
    return None


def _setting(finding: Finding, values: Mapping[str, Any]) -> Any:
    """What takes the place of a wrong key or value in these values, as `with_settings` takes it."""
    if finding.code != UNKNOWN_KEY:
        return finding.fixes[0].value
    section: Any = values
    for part in finding.route[:-1]:
        section = section[part]
    name = resembled(finding.route)
    return None if name is None or name in section else Renamed(name)


def _explained(finding: Finding, setting: Any) -> Finding:
    """A finding that says what the rest is judged with."""
    asks = finding.help.endswith("?")
    if setting is None:
        said = "without the key"
    elif asks:
        said = "with it"
    else:
        said = f"with `{setting.key if isinstance(setting, Renamed) else setting}`"
    return finding._replace(
        help=f"{finding.help} The rest is judged {said}" if asks else f"{finding.help}; the rest is judged {said}"
    )


def _settled(document: Document, settings: Mapping[Route, Any]) -> Document:
    """The document with other values; what stands below a renamed key has its place under both names."""
    renamed = {route: (*route[:-1], value.key) for route, value in settings.items() if isinstance(value, Renamed)}
    return replace(
        document,
        values=with_settings(document.values, settings),
        spans=_under_both(document.spans, renamed),
        key_spans=_under_both(document.key_spans, renamed),
        spellings=_under_both(document.spellings, renamed),
        origins=_under_both(document.origins, renamed),
    )


def _under_both(places: Mapping[Route, T], renamed: Mapping[Route, Route]) -> Mapping[Route, T]:
    """A table by route, with another row for every route at or below a renamed key."""
    return dict(places) | {
        (*new, *route[len(old) :]): said
        for route, said in places.items()
        for old, new in renamed.items()
        if route[: len(old)] == old
    }
