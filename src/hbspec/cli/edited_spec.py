"""A spec's file changed to a plan: whole or not at all, and only if the changed spec passes its check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import MisuseError

if TYPE_CHECKING:
    from hbspec.diagnostics import Report, Route
    from hbspec.source import Document


def refuse_without_a_file(option: str, spec: str, overrides: Sequence[str]) -> None:
    """Nothing, where the plan of a spec can be written into its file.

    Raises:
        MisuseError: the spec is not a file, or `--set` changes what is in it.
    """
    if spec == "-":
        raise MisuseError(f"{option} edits the spec: give the path of a file")
    if overrides:
        raise MisuseError(f"{option} edits the spec, in which the values of --set are not: write them into it first")


def write_edited(
    document: Document,
    settings: Mapping[Route, Any],
    *,
    allow_outside: bool,
    as_of: date | None,
    prices: Path | None,
) -> Report:
    """Change the file of a spec, unless the changed spec has errors; the report of its check.

    Raises:
        MisuseError: a value cannot be changed in the text, or the file is not as it was read.
    """
    from hbspec.cli.whole import alone_in, write_file, write_through
    from hbspec.source.edited import EditError, edited

    place = Path(document.file).resolve()
    try:
        text = edited(document, settings)
    except EditError as reason:
        raise MisuseError(f"{document.file} was not changed: {reason}") from None
    before = _as_read(document, place)
    content = before.replace(document.texts[document.file].encode(), text.encode())
    trial = place.with_name(f".hbspec-trial-{place.name}")
    try:
        with alone_in(place.parent):
            trial.unlink(missing_ok=True)
            write_through(trial, content)
            report = _checked(document, settings, trial, allow_outside, as_of, prices)
    finally:
        trial.unlink(missing_ok=True)
    if report.ok:
        mode = place.stat().st_mode
        _as_read(document, place)
        write_file(place, content, replace=True)
        place.chmod(mode)
    return report


def _as_read(document: Document, place: Path) -> bytes:
    """The content of the spec's file, if it is what was read.

    Raises:
        MisuseError: it is not.
    """
    content = place.read_bytes()
    if content.removeprefix(b"\xef\xbb\xbf") != document.texts[document.file].encode():
        raise MisuseError(f"{document.file} was not changed: it is not in UTF-8, or changed since it was read")
    return content


def _checked(
    document: Document,
    settings: Mapping[Route, Any],
    trial: Path,
    allow_outside: bool,
    as_of: date | None,
    prices: Path | None,
) -> Report:
    """The report on the changed spec.

    Raises:
        MisuseError: its values are not those of the plan.
    """
    from hbspec.api import check
    from hbspec.source import SourceError, load

    reason = "an anchor, an alias or `extends` shares a value with another key"
    try:
        values = load(trial, allow_outside=allow_outside).values
        same = _without_empty(values) == _without_empty(with_settings(document.values, settings))
    except SourceError as invalid:
        same, reason = False, str(invalid)
    if not same:
        raise MisuseError(f"{document.file} was not changed: {reason}; make the changes by hand")
    return check(trial, allow_outside=allow_outside, as_of=as_of, prices=prices)


def with_settings(values: Mapping[str, Any], settings: Mapping[Route, Any]) -> dict[str, Any]:
    """The values of a spec with others at some routes; None deletes the key."""
    changed: dict[str, Any] = deepcopy(dict(values))
    for route, value in settings.items():
        section: Any = changed
        for step in route[:-1]:
            section = section.setdefault(step, {})
        if value is None:
            section.pop(route[-1], None)
        else:
            section[route[-1]] = value
    return changed


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """The values without sections that have no keys, which say nothing."""
    return {key: value for key, value in values.items() if value != {}}
