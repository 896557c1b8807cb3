"""Loading of a `Document` from a path, from standard input or from a mapping."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from hbspec.diagnostics import Span, file_and_cell
from hbspec.manual import text as pages
from hbspec.source.allowances import allowances
from hbspec.source.document import Document
from hbspec.source.files import decode, read_stream, read_text
from hbspec.source.layers import Layer, as_map, chain, merged
from hbspec.source.mappings import from_mapping
from hbspec.source.overrides import OPTION, overridden
from hbspec.source.parse import parse
from hbspec.source.paths import project_root
from hbspec.source.problems import Problems
from hbspec.source.tables import TooLargeError, tabulate
from hbspec.source.translated import NOTHING_BESIDE, FileReader

STDIN = "-"
MAPPING = "<mapping>"
NOTHING: Mapping[Path, str] = {}


def load(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    root: Path | None = None,
    stdin: TextIO | None = None,
    text: str | None = None,
    unsaved: Mapping[Path, str] = NOTHING,
    reader: FileReader | None = None,
    beside: Sequence[str] = NOTHING_BESIDE,
) -> Document:
    """Read a spec, the specs that it extends, and the overrides of the command line.

    Args:
        path: a file, or `-` for standard input, whose relative paths resolve against the working folder.
        overrides: strings `key.path=value`, applied in order.
        allow_outside: let `extends` leave the project.
        root: the project folder; by default the nearest folder above the spec with `.git` or `pyproject.toml`, else the
            folder of the spec.
        stdin: the stream that `-` stands for; `sys.stdin` by default.
        text: what the file holds, instead of its content on the disk: an edited state of it.
        unsaved: the same of files that it may extend, by their real paths.
        reader: reads files of other programs, too; without one, every file is taken for a spec.
        beside: files with parts of a spec that count above it, the last above the others.

    Raises:
        SourceError: the spec cannot be read; the error lists every fault. Bad input raises nothing else.
    """
    file = str(path)
    problems = Problems()
    if text is not None:
        text = decode(text.encode("utf-8", "surrogatepass"), file, problems)
    elif file == STDIN:
        text = read_stream(stdin or sys.stdin, file, problems)
    else:
        text = read_text(Path(file), file, file, problems)
    if text is None:
        unreadable = problems.diagnostics[0].code == pages.UNREADABLE_FILE.code
        raise problems.error(unreadable=unreadable)
    tree = reader.read(text, file, problems) if reader else as_map(parse(text, file, problems), file, problems)
    if tree is None:
        raise problems.error()
    directory = None if file == STDIN else Path(os.path.abspath(file)).parent  # noqa: PTH100 - resolve() follows links
    real = None if file == STDIN else Path(os.path.realpath(file))
    first = Layer(file, directory or Path.cwd(), real, tree)
    above = [layer for name in reversed(beside) if (layer := _beside(name, reader, problems))]
    return _document(first, directory, overrides, allow_outside, root, problems, unsaved, above, reader)


def _beside(name: str, reader: FileReader | None, problems: Problems) -> Layer | None:
    """A file that counts above the spec; None, with the reason in `problems`, if it cannot be read."""
    text = read_text(Path(name), name, name, problems)
    if text is None:
        return None
    tree = reader.beside(text, name, problems) if reader else as_map(parse(text, name, problems), name, problems)
    return None if tree is None else Layer(name, Path(os.path.abspath(name)).parent, None, tree)  # noqa: PTH100 - as above


def load_mapping(
    values: Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    root: Path | None = None,
) -> Document:
    """The document of a mapping of plain data, without spans. Relative paths resolve against the working folder.

    Raises:
        SourceError: the mapping is not a spec's plain data; the error lists every fault.
    """
    problems = Problems()
    tree = from_mapping(values, MAPPING, problems)
    if tree is None:
        raise problems.error()
    return _document(Layer(MAPPING, Path.cwd(), None, tree), None, overrides, allow_outside, root, problems)


def _document(
    first: Layer,
    directory: Path | None,
    overrides: Sequence[str],
    allow_outside: bool,
    root: Path | None,
    problems: Problems,
    unsaved: Mapping[Path, str] = NOTHING,
    above: Sequence[Layer] = (),
    reader: FileReader | None = None,
) -> Document:
    root = root or project_root(first.folder)
    layers = [*above, *chain(first, root, allow_outside, problems, unsaved)]
    problems.raise_any()
    tree = merged(layers)
    for override in overrides:
        tree = overridden(tree, override, problems)
    problems.raise_any()
    tree = reader.settled(tree) if reader else tree
    translated = reader.translated if reader else None

    folders = {layer.file: layer.folder for layer in layers}

    def folder_of(span: Span | None) -> Path:
        """That of the layer; of `--set`, the working folder; of a file that a script names, the script's."""
        name = file_and_cell(span.file)[0] if span else first.file
        return folders.get(name, Path.cwd() if name.startswith(OPTION) else first.folder)

    try:
        values, tables = tabulate(tree, folder_of)
    except TooLargeError as error:
        problems.add(pages.OVER_LIMIT, first.file, str(error), error.action)
        raise problems.error() from error
    return Document(
        file=first.file,
        values=values,
        spans={**tables.spans, **translated.spans} if translated else tables.spans,
        key_spans=tables.key_spans,
        spellings=tables.spellings,
        directory=directory,
        origins=tables.origins,
        texts=problems.texts,
        allowed=tuple(
            found
            for layer in layers
            for found in allowances(layer.file, problems.texts.get(layer.file, ""), layer.tree)
        ),
        root=root,
        allow_outside=allow_outside,
        translated=translated,
    )
