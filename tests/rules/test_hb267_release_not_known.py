"""HB267: major releases that nobody has seen."""

from __future__ import annotations

import pytest
from judged import edge, judged

from hbspec.rules import hb267_release_not_known as rule


def test_edge(tmp_path):
    edge("HB267", "", "software.trl", "1.99.0", "2.0.0", tmp_path)


@pytest.mark.parametrize(("package", "newest"), rule.KNOWN.items())
def test_the_next_major_release_of_each(package, newest, tmp_path):
    later = f"{int(newest.partition('.')[0]) + 1}.0.0"
    (found,) = judged("HB267", f"software: {{{package}: {later}}}", tmp_path)
    assert found.message.endswith(f"that hbspec knows is {newest.partition('.')[0]} ({newest})")
    assert judged("HB267", f"software: {{{package}: {newest}}}", tmp_path) == []


def test_a_branch_has_no_release(tmp_path):
    assert judged("HB267", "software: {transformers: main}", tmp_path) == []


def test_torch_is_the_one_that_the_tests_run():
    torch = pytest.importorskip("torch")
    assert torch.__version__.partition("+")[0] == rule.TORCH
