"""The author's claims, each read as a set of values and verified."""

from __future__ import annotations

from hbspec.claims.verify import CONFIRMED, CONTRADICTED, MALFORMED, UNDECIDED, UNKNOWN, Claim, verify

__all__ = ["CONFIRMED", "CONTRADICTED", "MALFORMED", "UNDECIDED", "UNKNOWN", "Claim", "verify"]
