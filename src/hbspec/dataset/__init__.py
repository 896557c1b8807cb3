"""Training data: reading line by line, checks, and profiles of a split or of parts of it."""

from __future__ import annotations

from hbspec.dataset.broken import Broken
from hbspec.dataset.check import DataVerdict, check_data
from hbspec.dataset.files import DataFile, data_files, read_records
from hbspec.dataset.merging import merge, read_part
from hbspec.dataset.profile import DataProfile, profile_data, profile_lines
from hbspec.dataset.records import Record

__all__ = [
    "Broken",
    "DataFile",
    "DataProfile",
    "DataVerdict",
    "Record",
    "check_data",
    "data_files",
    "merge",
    "profile_data",
    "profile_lines",
    "read_part",
    "read_records",
]
