"""The page on accuracy: every figure on it is one that the command prints."""

from __future__ import annotations

import subprocess
import sys

from documentation import DOCS, ROOT, blocks

FACTS = ROOT.parent / "shared" / "facts"
TABLES = [FACTS / f"measured_{name}.csv" for name in ("training", "training_2", "inference", "inference_2")]


def test_the_page_says_what_is_printed():
    shown = blocks(DOCS / "accuracy.md", "text")
    names = {line.split("  ")[0] for line in shown[0].splitlines()[3:]}
    assert {"peak_allocated", "tokens/s a GPU", "decode tokens/s", "serving_memory", "out of memory"} <= names
    titles = ["slices", "the widest tenth of the intervals", "by source"]
    assert [block.partition("\n")[0] for block in shown[1:]] == titles
    if not all(path.exists() for path in TABLES):
        return  # the published rows are not part of the repository
    command = [sys.executable, ROOT / "benchmarks" / "accuracy.py", *TABLES]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    sections = printed.split("\n\n")
    printed_sections = ["\n\n".join(sections[:2]), *(found for found in sections if found.startswith(tuple(titles)))]
    assert [block.rstrip() for block in shown] == [section.rstrip() for section in printed_sections]
