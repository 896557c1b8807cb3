"""Data files to examples, as in the job: `templates/reading.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reading import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("reading", __name__, "broken", "folders", "lines", "readers", "records", "tables"), globals())  # noqa: S102 - our own template
