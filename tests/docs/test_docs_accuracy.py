"""The page on accuracy: every figure on it is one that the command prints."""

from __future__ import annotations

import subprocess
import sys

from documentation import DOCS, ROOT, blocks

FACTS = ROOT.parent / "shared" / "facts"
TABLES = [FACTS / "measured_training.csv", FACTS / "measured_inference.csv"]


def test_the_page_says_what_is_printed():
    top, by_source = blocks(DOCS / "accuracy.md", "text")
    names = {line.split("  ")[0] for line in top.splitlines()[3:]}
    assert {"peak_allocated", "tokens/s a GPU", "decode tokens/s", "serving_memory", "out of memory"} <= names
    assert by_source.startswith("by source\n")
    if not all(path.exists() for path in TABLES):
        return  # the published rows are not part of the repository
    command = [sys.executable, ROOT / "benchmarks" / "accuracy.py", *TABLES]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert top.rstrip() == printed[: printed.index("\nby method")].rstrip()
    assert by_source.rstrip() == printed[printed.index("by source") : printed.index("\nnot expressed")].rstrip()
