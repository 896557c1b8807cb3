"""What the user writes: the typed sections and how a document becomes them. The only home of pydantic."""

from __future__ import annotations

from hbspec.spec.fields import Section
from hbspec.spec.read import read, section_keys
from hbspec.spec.sections import Spec

__all__ = ["Section", "Spec", "read", "section_keys"]
