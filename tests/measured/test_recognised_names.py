"""The share of named models that are recognised, on a table made here and on the published one."""

from __future__ import annotations

import subprocess
import sys

import pytest
from made_rows import ROOT
from names import MISSING, lacking, read, share

NAMES = ROOT.parent / "shared/facts/model_names.csv"


def test_a_share_counts_files(tmp_path):
    table = tmp_path / "names.csv"
    table.write_text("name,files\nQwen/Qwen2.5-7B-Instruct,3\nnobody/knows,1\n")
    names = read(table)
    assert [(name.files, name.lacking) for name in names] == [(3, ""), (1, MISSING)]
    assert share(names) == 0.75


def test_a_shape_of_another_family_is_told_by_its_type():
    assert lacking("state-spaces/mamba-2.8b-hf") == "mamba"


def test_the_command_lists_what_is_missing(tmp_path):
    (tmp_path / "names.csv").write_text("name,files\nnobody/knows,2\n")
    command = [sys.executable, ROOT / "benchmarks/names.py", tmp_path / "names.csv"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [
        "0 of 1 names, 0.0% of 2 files recognised (aim 90 %)",
        "   2  nobody/knows: not in the catalog",
    ]


@pytest.mark.skipif(not NAMES.exists(), reason="the published table does not lie beside this checkout")
def test_of_the_published_names_as_many_are_recognised_as_were():
    assert share(read(NAMES)) >= 0.9
