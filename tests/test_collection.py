"""The suite itself: each process that collects it finds the same tests, whichever folders are asked for together."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMPORTED_BY_NAME = ("tests", "templates", "benchmarks", "tools")
"""Folders whose modules tests import by their bare name."""


@pytest.mark.parametrize("content", [gzip.compress(b"x"), b"\xff"])
def test_no_id_is_made_of_bytes(request, content):
    assert request.node.name in ("test_no_id_is_made_of_bytes[content0]", "test_no_id_is_made_of_bytes[content1]")


@pytest.mark.skipif(
    int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1,
    reason="several workers: xdist ends the run where they have not collected the same",
)
def test_another_process_collects_the_same(request):
    """What this process has collected, at another time and with another seed of hashes: the same ids.

    Workers of xdist are such processes: their seeds differ, as nothing here sets PYTHONHASHSEED.
    """
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["--without-torch"] * request.config.getoption("--without-torch")
    done = subprocess.run(
        [*command, *request.config.args],
        cwd=request.config.invocation_params.dir,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = {line for line in done.stdout.splitlines() if "::" in line}
    assert [item.nodeid for item in request.session.items if item.nodeid not in found] == []


def test_a_module_that_tests_share_is_not_a_conftest():
    """Of all files `conftest.py`, the name finds the one that was loaded last."""
    modules = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    shared = re.compile(r"^\s*(from conftest import|import conftest)\b", re.MULTILINE)
    assert [str(path) for path in modules if shared.search(path.read_text(encoding="utf-8"))] == []


def test_modules_have_names_of_their_own():
    found = [path for folder in IMPORTED_BY_NAME for path in (ROOT / folder).rglob("*.py")]
    alone = [path.name for path in found if not (path.parent / "__init__.py").exists() and path.name != "conftest.py"]
    assert {name: count for name, count in Counter(alone).items() if count > 1} == {}
