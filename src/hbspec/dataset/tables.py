"""Values of files that are not JSON lines, as in the job: `templates/tables.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tables import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("tables", __name__, "broken", "lines", "records"), globals())  # noqa: S102 - our own template
