"""A few rows of measurements, of each kind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture
def made(tmp_path):
    """A table of rows made for these tests."""
    from made_rows import MADE, write

    return write(tmp_path / "made.csv", MADE)
