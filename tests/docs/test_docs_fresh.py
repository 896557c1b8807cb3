"""The generated part of the documentation is what would be written now."""

from __future__ import annotations

import subprocess
import sys

import pytest
from documentation import ROOT


@pytest.mark.long
def test_nothing_is_stale():
    done = subprocess.run(
        [sys.executable, "tools/generate_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
