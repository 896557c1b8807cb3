"""Declarative fine-tuning jobs: checked before they cost anything, then compiled.

The public API is `check`, `estimate`, `compile_spec` and `InvalidSpecError`; see `hbspec.api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["InvalidSpecError", "__version__", "check", "compile_spec", "estimate"]

if TYPE_CHECKING:
    from hbspec.api import InvalidSpecError, check, compile_spec, estimate


def __getattr__(name: str) -> object:
    """Load the pipeline on first use, so that importing the package (as `--version` does) stays cheap."""
    if name in __all__:
        from hbspec import api

        return getattr(api, name)
    raise AttributeError(f"module 'hbspec' has no attribute {name!r}")
