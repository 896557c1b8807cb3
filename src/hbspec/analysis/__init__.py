"""One spec with its plan and all estimates, each calculated on first use."""

from __future__ import annotations

from hbspec.analysis.analysis import Analysis, analyse

__all__ = ["Analysis", "analyse"]
