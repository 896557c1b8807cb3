"""Values of data files to examples of one layout, as in the job: `templates/readers.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from readers import *  # noqa: F403
else:
    from hbspec.shipped import code

    exec(code("readers", __name__, "broken", "layouts", "records"), globals())  # noqa: S102 - our own template
