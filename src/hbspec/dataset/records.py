"""Parsing of lines to conversations, as in the job: `templates/records.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from records import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("records", __name__, "broken"), globals())  # noqa: S102 - our own template
