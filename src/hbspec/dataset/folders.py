"""The data files of a folder, as in the job: `templates/folders.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folders import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("folders", __name__), globals())  # noqa: S102 - our own template
