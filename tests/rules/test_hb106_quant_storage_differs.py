"""HB106: storage dtype and compute dtype under FSDP."""

from __future__ import annotations

import pytest
from judged import edge, judged

STORAGE = "hyperparameters.bnb_4bit_quant_storage"


@pytest.mark.parametrize(
    ("compute", "within", "beyond"),
    [("bf16", "bfloat16", "float16"), ("bf16", "bfloat16", "uint8"), ("fp16", "float16", "bfloat16")],
)
def test_edge(compute, within, beyond, tmp_path):
    fragment = f"instance: {{parallelism: fsdp}}\nhyperparameters: {{{compute}: true}}"
    edge("HB106", fragment, STORAGE, within, beyond, tmp_path)


def test_the_compute_dtype_is_advised(tmp_path):
    fragment = "instance: {parallelism: fsdp}\nhyperparameters: {fp16: true, bnb_4bit_quant_storage: bfloat16}"
    (found,) = judged("HB106", fragment, tmp_path)
    assert found.message == (
        "bnb_4bit_quant_storage is bfloat16, but fsdp shards 4-bit weights together with float16 weights"
    )
    assert found.fixes[0].value == "float16"


def test_int8_has_no_storage_dtype(tmp_path):
    fragment = "instance: {parallelism: fsdp}\nhyperparameters: {bnb_quant_type: int8}"
    assert judged("HB106", fragment, tmp_path) == []
