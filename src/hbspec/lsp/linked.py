"""The files that a text names, as links."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from hbspec.diagnostics import Route
from hbspec.lsp.opened import OpenText
from hbspec.lsp.outline import Outline
from hbspec.lsp.positions import TextPlaces
from hbspec.source.layers import EXTENDS
from hbspec.source.load import STDIN
from hbspec.source.paths import PathError, contained, project_root

FILES: frozenset[Route] = frozenset(
    {
        (EXTENDS,),
        ("data", "profile"),
        ("data", "chat_template"),
        ("model", "config"),
        ("instance", "deepspeed"),
        ("calibration", "record"),
    }
)
"""The keys that take the path of a file; `data.chat_template` takes names, too."""


def links(one: OpenText, outline: Outline, encoding: str) -> Iterator[types.DocumentLink]:
    """A link for each file of the project that the text names, and that exists."""
    if one.file == STDIN:
        return
    folder, places = Path(one.file).parent, TextPlaces(one.text, encoding)
    root = project_root(folder)
    for entry in outline.entries:
        if entry.route in FILES and entry.value:
            try:
                target = contained(entry.value, folder, root, False)
            except PathError:
                continue
            yield types.DocumentLink(
                range=places.range_on(entry.line, entry.value_start, entry.end), target=from_fs_path(str(target))
            )
