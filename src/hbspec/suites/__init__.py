"""The suites of an evaluation, items and scorers, as in the job: `templates/suites`.

The modules beside the template's `__init__` are modules of this package, too: `hbspec.suites.answers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suites import *  # noqa: F403
else:
    from hbspec.shipped import code, templates

    __path__ = [str(templates() / "suites")]
    exec(code("suites/__init__", __name__), globals())  # noqa: S102 - our own template
