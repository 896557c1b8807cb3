"""Where in a rendered conversation the assistant speaks, found as in the job: `templates/spoken.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spoken import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("spoken", __name__), globals())  # noqa: S102 - our own template
