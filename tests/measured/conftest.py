"""Rows of measurements: the published ones where they lie beside the repository, else a few of each kind."""

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


@pytest.fixture(params=["made", "published"])
def rows(request, made):
    """The rows made for these tests, and the published ones where they are at hand."""
    from made_rows import PUBLISHED
    from measured.row import read_rows

    return read_rows([PUBLISHED if request.param == "published" and PUBLISHED.exists() else made])
