"""The typed sections of a spec, and the validation of documents against them. Only it and `policy` use pydantic."""

from __future__ import annotations

from hbspec.spec.fields import Section
from hbspec.spec.keys import section_keys
from hbspec.spec.read import read
from hbspec.spec.sections import Spec

__all__ = ["Section", "Spec", "read", "section_keys"]
