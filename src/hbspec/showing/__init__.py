"""Text of an author's as it may be shown: without credentials, and with nothing invisible in it."""

from __future__ import annotations

from hbspec.showing.invisible import printable
from hbspec.showing.secrets import redact

__all__ = ["printable", "shown"]


def shown(text: str) -> str:
    """The text, redacted and printable; as long as it was."""
    return printable(redact(text))
