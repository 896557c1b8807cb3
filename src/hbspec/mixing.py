"""How often an example is in an epoch, and which are held out for validation, as in a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mixing import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("mixing", __name__), globals())  # noqa: S102 - our own template
