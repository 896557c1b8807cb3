"""What the author's files of reward functions define: read as trees, and never run."""

from __future__ import annotations

from hbspec.diagnostics import Route
from hbspec.source import Document
from hbspec.source.attachments import read_text


def functions_of(document: Document, route: Route, path: str) -> frozenset[str] | None:
    """Names that the top of a file defines or imports; None where it is not Python.

    Raises:
        AttachmentError: the file cannot be read, or is outside the project.
    """
    import ast  # which only specs with reward functions need

    text = read_text(document, route, path)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                names |= {one.asname or one.name for one in imported}
    return frozenset(names)
