"""Reading of specs: text to a `Document` of plain values with their places. The only package that knows YAML."""

from __future__ import annotations

from hbspec.source.discover import discover
from hbspec.source.document import Document
from hbspec.source.load import load, load_mapping
from hbspec.source.problems import SourceError

__all__ = ["Document", "SourceError", "discover", "load", "load_mapping"]
