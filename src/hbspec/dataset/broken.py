"""What of data files cannot be used, as in the job: `templates/broken.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broken import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("broken", __name__), globals())  # noqa: S102 - our own template
