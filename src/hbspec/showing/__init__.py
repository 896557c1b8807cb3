"""The author's text made safe to show: credentials starred out, invisible characters replaced."""

from __future__ import annotations

from hbspec.showing.invisible import printable
from hbspec.showing.secrets import redact

__all__ = ["printable", "shown"]


def shown(text: str) -> str:
    """The text, redacted and printable, with its length unchanged."""
    return printable(redact(text))
