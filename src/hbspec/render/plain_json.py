"""Documents as JSON text."""

from __future__ import annotations

import json
from typing import Any


def json_text(document: Any) -> str:
    """Indented JSON in ASCII, so that no locale can spoil it, with a newline at its end.

    Raises:
        ValueError: an infinity or a NaN, which JSON (RFC 8259) does not have.
    """
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
