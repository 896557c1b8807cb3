"""HB229: Liger's kernels of models with experts."""

from __future__ import annotations

from judged import codes, edge

SPARSE = """
model: {id: Qwen/Qwen3-30B-A3B}
instance: {parallelism: fsdp}
hyperparameters: {method: lora, lora_dropout: 0.0, bnb_quant_type: null, bnb_double_quant: null}
"""


def test_edge_of_the_key(tmp_path):
    edge("HB229", SPARSE, "hyperparameters.liger", False, True, tmp_path)


def test_dense_models_are_estimated(tmp_path):
    assert "HB229" not in codes("hyperparameters: {liger: true}", tmp_path)
