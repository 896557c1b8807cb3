"""What lies under a name is taken away, so that nothing of it is taken for what is written there next.

Only the standard library is imported.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ATTEMPTS = 5
"""SageMaker may put a marker into a folder while that is removed."""


def inside(folder: Path) -> list[Path]:
    """What a folder holds; nothing where another host that shares it has removed it meanwhile."""
    try:
        return [*folder.iterdir()]
    except FileNotFoundError:
        return []


def remove(path: Path) -> None:
    """Removes a file, a folder with all that it holds, or a link; what a link leads to stays. Nothing there is fine.

    Only folders are left to `rmtree`, which would open a pipe, and wait until somebody writes into it.

    Raises:
        OSError: it is still there.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    for _ in range(ATTEMPTS):
        if not os.path.lexists(path):
            return
        shutil.rmtree(path, ignore_errors=True)
    if os.path.lexists(path):
        raise OSError(f"{path} cannot be removed: what lies there would be mixed with what is saved there")
