"""HB236: a branch in the place of a commit."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

QWEN = "model: {id: Qwen/Qwen2.5-7B}"


def test_edge(tmp_path):
    edge("HB236", QWEN, "model.revision", "v1.0", "main", tmp_path)


def test_an_unwritten_revision_is_not_told(tmp_path):
    assert "HB236" not in codes(QWEN, tmp_path)


@pytest.mark.parametrize(("written", "told"), [("refs/heads/main", True), ("refs/pr/3", True), ("refs/tags/v1", False)])
def test_references_of_git(written, told, tmp_path):
    found = judged("HB236", f"model: {{id: Qwen/Qwen2.5-7B, revision: {written}}}", tmp_path)
    assert bool(found) is told
    assert all(f"{written} is a branch of Qwen/Qwen2.5-7B" in one.message for one in found)


def test_adapters_are_pinned_like_weights(tmp_path):
    pinned = "model: {id: Qwen/Qwen2.5-7B, adapter: acme/first, adapter_revision: %s}"
    (found,) = judged("HB236", pinned % "main", tmp_path)
    assert (
        found.message
        == "model.adapter_revision main is a branch of acme/first, not a commit or a tag, and pins nothing"
    )
    assert judged("HB236", pinned % "v1.0", tmp_path) == []
