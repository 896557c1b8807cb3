"""A spec's file changed to a plan: whole or not at all, and only if the changed spec passes its check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import MisuseError

MARK = b"\xef\xbb\xbf"
"""A byte-order mark in UTF-8."""
WRITABLE = 0o222
"""Bits of a file's mode, of which one with none is protected: renaming another to its place would not ask."""

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
    from hbspec.api import check
    from hbspec.source.edited import EditError
    from hbspec.source.edited_document import edited_document

    file = document.file
    try:
        text = edited_document(document, settings).texts[file]
    except EditError as reason:
        raise MisuseError(f"{file} was not changed: {reason}; make the changes by hand") from None
    report = check(file, allow_outside=allow_outside, as_of=as_of, prices=prices, text=text)
    if report.ok:
        replace_text(Path(file), document.texts[file], text)
    return report


def replace_text(file: Path, before: str, after: str) -> None:
    """Write another text into a file, whole or not at all; its mode and its byte-order mark stay.

    Raises:
        MisuseError: the file does not hold the text of before, or nobody may write it.
    """
    from hbspec.cli.whole import ChangedError, write_file

    mark = MARK if file.read_bytes().startswith(MARK) else b""
    if not file.stat().st_mode & WRITABLE:
        raise MisuseError(f"{file} was not changed: it is read-only")
    try:
        write_file(file, mark + after.encode(), replace=True, instead_of=mark + before.encode())
    except ChangedError:
        raise MisuseError(f"{file} was not changed: it is not in UTF-8, or changed since it was read") from None
