"""HB223: models that transformers rejects sdpa for."""

from __future__ import annotations

from judged import edge, judged

GEMMA = "model: {id: google/gemma-2-9b}\n"
SDPA = "hyperparameters: {attn_implementation: sdpa}"


def test_edge(tmp_path):
    edge("HB223", GEMMA, "hyperparameters.attn_implementation", "eager", "sdpa", tmp_path)


def test_edge_of_the_version(tmp_path):
    edge("HB223", GEMMA + SDPA, "software.transformers", "4.57.6", "5.0.0", tmp_path)


def test_the_version_and_the_family_are_named(tmp_path):
    (found,) = judged("HB223", f"{GEMMA}software: {{transformers: 5.0.0}}\n{SDPA}", tmp_path)
    assert found.message == "transformers 5.0.0 rejects sdpa for gemma2"
