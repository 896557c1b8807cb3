"""The specs that files and folders on a command line stand for."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hbspec.diagnostics import Diagnostic
from hbspec.manual import text as pages
from hbspec.source.endings import is_json, is_yaml
from hbspec.source.load import STDIN
from hbspec.source.missing import action
from hbspec.source.problems import Problems
from hbspec.source.recognise import looks_like_spec

NAMED = 3
"""The number of files that a message about a folder names; the others are counted."""


class Found(NamedTuple):
    """The specs that paths stand for.

    Attributes:
        specs: files to read, and `-`; each once.
        passed_over: YAML files that do not look like specs, and hidden files in folders that do.
        diagnostics: paths that do not exist, and folders without a spec.
    """

    specs: tuple[str, ...]
    passed_over: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]


def discover(paths: Sequence[str], sections: Collection[str], *, skip_other: bool = False) -> Found:
    """The specs that paths stand for: files and `-` themselves, and all specs below a folder, ordered by name.

    Below a folder, a spec is a YAML or JSON file that looks like one (`recognise.py`). Hidden files are passed over and
    listed; hidden folders, and links that lead out of the folder, are ignored.

    Args:
        paths: files, folders and `-`, as on the command line.
        sections: the keys that a spec may have at its top level.
        skip_other: pass over files that do not look like specs even if they are named.
    """
    problems = Problems()
    found: dict[str, str] = {}
    passed_over: dict[str, str] = {}
    for path in paths:
        specs = [path]
        if path != STDIN and os.path.isdir(path):  # noqa: PTH112 - a name with a NUL is a missing file, not an error
            specs, others = [], []
            for file in _files_below(path):
                is_hidden, is_spec = file.name.startswith("."), looks_like_spec(file, sections)
                if is_spec and not is_hidden:
                    specs.append(str(file))
                elif is_spec or (is_yaml(file.name) and not is_hidden):
                    others.append(str(file))
            passed_over |= {os.path.realpath(other): other for other in others}
            if not specs:
                message = f"the folder `{path}` contains no spec{_beside(others)}"
                help_ = "name a file, or a folder with a *.yaml that begins with `hbspec: 1`"
                problems.add(pages.UNREADABLE_FILE, path, message, help_)
        elif path != STDIN and not os.path.exists(path):  # noqa: PTH110 - as above
            problems.add(pages.UNREADABLE_FILE, path, f"`{path}` does not exist", action(path))
            continue
        elif path != STDIN and skip_other and not looks_like_spec(Path(path), sections):
            passed_over[os.path.realpath(path)] = path
            continue
        for spec in specs:
            found.setdefault(spec if spec == STDIN else os.path.realpath(spec), spec)
    others_only = tuple(other for real, other in passed_over.items() if real not in found)
    return Found(tuple(found.values()), others_only, tuple(problems.diagnostics))


def _beside(others: Sequence[str]) -> str:
    if not others:
        return ""
    more = [f"{len(others) - NAMED:,} more"] if len(others) > NAMED else []
    kind = "hidden or something else" if any(Path(other).name.startswith(".") for other in others) else "something else"
    return f"; passed over as {kind}: {', '.join([*others[:NAMED], *more])}"


def _files_below(folder: str) -> Iterator[Path]:
    """The YAML and JSON files below a folder, including hidden files, in the order of their names."""
    real = os.path.realpath(folder)
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(place) / name
            if not is_yaml(name) and not is_json(name):
                continue
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real):
                continue
            if path.is_file():
                yield path
