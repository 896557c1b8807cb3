"""Fixes of findings as changes that an editor can make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lsprotocol import types

from hbspec.diagnostics import Diagnostic, Fix
from hbspec.lsp.opened import OpenText, elsewhere
from hbspec.lsp.positions import TextPlaces
from hbspec.showing import shown
from hbspec.source import Document, SourceError, load
from hbspec.source.edited import EditError
from hbspec.source.edited_document import edited_document


def actions(
    one: OpenText, lines: types.Range, shown_as: list[types.Diagnostic], unsaved: Mapping[Path, str], encoding: str
) -> Iterator[types.CodeAction]:
    """The fixes of what was found on some lines; none where the text has changed since it was judged.

    Args:
        one: the text.
        lines: where fixes are asked for.
        shown_as: the findings as the editor shows them.
        unsaved: texts of other files that are not on the disk.
        encoding: how columns are counted.
    """
    if one.report is None or one.judged != one.text:
        return
    wanted = [entry for entry in one.report.diagnostics if entry.fixes and _is_on(one, entry, lines)]
    try:
        document = load(one.file, text=one.text, unsaved=unsaved) if wanted else None
    except SourceError:
        return
    for entry in wanted if document else ():
        about = [same for same in shown_as if same.code == entry.code]
        for fix in entry.fixes:
            edit = _edit(one, document, fix, unsaved, encoding) if document else None
            if edit is not None:
                yield types.CodeAction(
                    title=shown(fix.title) + ("" if fix.safe else " (changes the job)"),
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=about or None,
                    is_preferred=fix.safe and len(entry.fixes) == 1,
                    edit=edit,
                )


def _is_on(one: OpenText, entry: Diagnostic, lines: types.Range) -> bool:
    if entry.span is None or elsewhere(one, entry):
        return False
    return entry.span.start.line - 1 <= lines.end.line and entry.span.end.line - 1 >= lines.start.line


def _edit(
    one: OpenText, document: Document, fix: Fix, unsaved: Mapping[Path, str], encoding: str
) -> types.WorkspaceEdit | None:
    """The change of the text by a fix; None where the text cannot be changed so that it holds just that."""
    try:
        changed = edited_document(document, {fix.route: fix.value}, unsaved)
    except EditError:
        return None
    where, text = TextPlaces(one.text, encoding).change(changed.texts[document.file])
    return types.WorkspaceEdit(changes={one.uri: [types.TextEdit(where, text)]})
