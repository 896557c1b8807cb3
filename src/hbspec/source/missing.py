"""What to do about a spec file that is not there: name it, or the one beside it that is meant."""

from __future__ import annotations

import os
from pathlib import Path

from hbspec.source.endings import is_yaml
from hbspec.spelling import nearest


def action(file: str) -> str:
    """The help for a spec file that cannot be read, with the file that its name may be a misspelling of.

    Names are compared without their endings, which make any two alike, and only with those of YAML files and of files
    with the same ending.
    """
    asked = Path(file)
    try:
        names = sorted(entry.name for entry in os.scandir(asked.parent) if entry.is_file())
    except (OSError, ValueError):  # there is no such folder, or the path is not one
        names = []
    alike = (name for name in names if is_yaml(name) or Path(name).suffix == asked.suffix)
    by_stem = {Path(name).stem: name for name in alike}
    meant = None if asked.name in names else nearest(asked.stem, by_stem)
    if meant is None:
        return "give the path of a spec file"
    return f"give the path of a spec file; did you mean `{asked.parent / by_stem[meant]}`?"
