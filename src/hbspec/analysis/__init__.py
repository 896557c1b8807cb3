"""One spec together with everything that follows from it, and what would follow from another."""

from __future__ import annotations

from hbspec.analysis.analysis import Analysis, analyse

__all__ = ["Analysis", "analyse"]
