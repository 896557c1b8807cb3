"""The code of a Python file or of a notebook, in the pieces that places are counted in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from hbspec.diagnostics import Position, Span, cell_name
from hbspec.manual import text as pages
from hbspec.source.problems import Problems


class Cell(NamedTuple):
    """A Python file, or one cell of a notebook: the name that its places have, and its text."""

    file: str
    text: str


def cells_of(text: str, file: str, problems: Problems) -> tuple[Cell, ...] | None:
    """The cells of a notebook (nbformat 4), or the whole of a Python file; None, with the reason in `problems`.

    Cells are counted as notebooks show them, from 1 and with those that hold no code.
    """
    if not text.lstrip().startswith("{"):
        return (Cell(file, text),)
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        place = Span(file, Position(error.lineno, error.colno), Position(error.lineno, error.colno + 1))
        message = f"the notebook is not JSON: {error.msg}"
        problems.add(pages.YAML_SYNTAX, place, message, "save it again, or name the Python file of its code")
        return None
    except RecursionError:
        problems.add(pages.OVER_LIMIT, file, "the notebook is nested too deeply", "save it again")
        return None
    found = tuple(_code(notebook, file))
    problems.texts |= dict(found)
    return found


def _code(notebook: Any, file: str) -> Iterator[Cell]:
    """The cells with code; what is not a notebook has none."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for number, cell in enumerate(cells if isinstance(cells, list) else (), 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source")
        lines = source if isinstance(source, list) else [source]
        yield Cell(cell_name(file, number), "".join(line for line in lines if isinstance(line, str)))
