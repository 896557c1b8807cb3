"""The dataset types that TRL knows, as in the job: `templates/layouts.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layouts import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("layouts", __name__, "broken", "foreign", "records"), globals())  # noqa: S102 - our own template
