"""Files that a command line names: looked for where the script lies, and in the folders above it up to the project's.

A program reads such a path from the folder that it is started in, which a script does not say: it is mostly the
script's own, or the project's.
"""

from __future__ import annotations

import os
from pathlib import Path

from hbspec.source.files import read_text
from hbspec.source.nodes import MapNode
from hbspec.source.parse import parse
from hbspec.source.paths import PathError, contained, project_root
from hbspec.source.problems import Problems


class NamedFiles:
    """The files that lie beside one script, or in the project around it."""

    def __init__(self, file: str, problems: Problems, *, allow_outside: bool) -> None:
        self._folder = Path() if file == "-" else Path(file).parent
        self._problems, self._allow_outside = problems, allow_outside
        self.read: list[str] = []

    def found(self, path: str) -> str | None:
        """The path from the script's folder; None if no such file is there, or it may not be read."""
        root = project_root(self._folder)
        folder = self._folder.resolve()
        for base in (folder, *folder.parents):
            try:
                return os.path.relpath(contained(path, base, root, self._allow_outside), folder)
            except PathError:
                if base == root or Path(path).is_absolute():
                    return None
        return None

    def tree(self, path: str) -> tuple[str, MapNode] | None:
        """The name and the mapping of a YAML or JSON file; None if there is none. Its faults go to the problems."""
        beside = self.found(path)
        if beside is None:
            return None
        name = os.path.normpath(self._folder / beside)
        text = read_text(Path(name), name, name, self._problems)
        node = None if text is None else parse(text, name, self._problems)
        if not isinstance(node, MapNode):
            return None
        self.read.append(name)
        return name, node
