"""Training data: read line by line, checked, profiled."""

from __future__ import annotations

from hbspec.dataset.profile import DataProfile, profile_files
from hbspec.dataset.records import Record, read_records

__all__ = ["DataProfile", "Record", "profile_files", "read_records"]
