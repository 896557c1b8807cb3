"""Shares of right answers, their intervals and verdicts, as in an evaluation's job: `templates/significance.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from significance import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("significance", __name__), globals())  # noqa: S102 - our own template
