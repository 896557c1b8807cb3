"""Alpaca and ShareGPT as conversations, as in the job: `templates/foreign.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foreign import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("foreign", __name__, "records"), globals())  # noqa: S102 - our own template
