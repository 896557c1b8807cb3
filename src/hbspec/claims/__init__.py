"""The author's own claims, each a set, each verified."""

from __future__ import annotations

from hbspec.claims.verify import CONFIRMED, CONTRADICTED, MALFORMED, UNDECIDED, UNKNOWN, Claim, verify

__all__ = ["CONFIRMED", "CONTRADICTED", "MALFORMED", "UNDECIDED", "UNKNOWN", "Claim", "verify"]
