"""Documents as JSON text."""

from __future__ import annotations

import json
from typing import Any

from hbspec.showing.secrets import REDACTED, redact


def json_text(document: Any) -> str:
    """Indented JSON in ASCII, so that no locale can garble it, without credentials and with a final newline.

    Raises:
        ValueError: the document holds an infinity or a NaN, which JSON (RFC 8259) does not allow.
    """
    return json.dumps(_redacted(document), indent=2, allow_nan=False) + "\n"


def _redacted(value: Any, name: str = "") -> Any:
    """The document without credentials; `name` is the key of the value."""
    if isinstance(value, dict):
        redacted: dict[Any, Any] = {}
        for key, part in value.items():
            redacted[_key(key, redacted)] = _redacted(part, str(key))
        return redacted
    if isinstance(value, list | tuple):
        return [_redacted(part, name) for part in value]
    if isinstance(value, str):
        return redact(f"{name}: {value}")[len(name) + 2 :]
    return value


def _key(key: Any, taken: dict[Any, Any]) -> Any:
    """The key, or `REDACTED` if it holds a credential, numbered from the second on so that no entry is lost."""
    if not isinstance(key, str) or redact(key) == key:
        return key
    number = sum(str(other).startswith(REDACTED) for other in taken) + 1
    return REDACTED if number == 1 else f"{REDACTED} {number}"
