"""Reading of data files line by line, as in the job: `templates/lines.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lines import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("lines", __name__, "broken"), globals())  # noqa: S102 - our own template
