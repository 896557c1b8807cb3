"""HB264: the head of a model whose embedding it is."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

TIED = "model: {id: Qwen/Qwen2.5-0.5B}\ndeployment: null\nhyperparameters: {%s}"
APART = "model: {id: Qwen/Qwen2.5-7B}\ndeployment: null\nhyperparameters: {%s}"


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("modules_to_save: [lm_head]", True),
        ("modules_to_save: [embed_tokens]", True),
        ("target_modules: [q_proj, lm_head]", True),
        ("modules_to_save: [embed_tokens, lm_head]", False),  # Google's guide to Gemma 3
        ("target_modules: [q_proj, v_proj]", False),
        ("target_modules: all-linear", False),
    ],
)
def test_what_is_named(named, found, tmp_path):
    assert ("HB264" in codes(TIED % named, tmp_path)) is found
    assert "HB264" not in codes(APART % named, tmp_path)


def test_edge(tmp_path):
    tied = "model: {id: Qwen/Qwen2.5-0.5B}\ndeployment: null"
    edge("HB264", tied, "hyperparameters.modules_to_save", ["embed_tokens", "lm_head"], ["lm_head"], tmp_path)


def test_adapters_that_are_served_separately_are_not_merged(tmp_path):
    merged = TIED % "target_modules: [q_proj, lm_head]"
    served = merged.replace("deployment: null", "deployment: {adapters: separate, quantization: none}")
    assert "HB264" in codes(merged, tmp_path)
    assert "HB264" not in codes(served, tmp_path)


def test_both_names_are_said(tmp_path):
    (found,) = judged("HB264", TIED % "modules_to_save: [lm_head]", tmp_path)
    assert found.route == ("hyperparameters", "modules_to_save", 0)
    assert found.message == (
        "modules_to_save names lm_head, but Qwen/Qwen2.5-0.5B has one weight for lm_head and embed_tokens"
    )
