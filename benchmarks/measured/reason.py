"""Why a row has no plan."""

from __future__ import annotations


class NotExpressibleError(Exception):
    """What ran has no words in the spec, or the row does not say enough; the message is the reason."""
