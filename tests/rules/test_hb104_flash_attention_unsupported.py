"""HB104: FlashAttention-2 below compute capability 8.0."""

from __future__ import annotations

import pytest
from judged import edge, judged

SMALL = "model: {id: Qwen/Qwen2.5-7B}\n"
MACHINE = "instance: {type: null, gpus: 4, price: 10 USD/h}\nhyperparameters: {attn_implementation: flash_attention_2}"


@pytest.mark.parametrize(("within", "beyond"), [("A100-40", "T4"), ("A10G", "V100-32"), ("H100-80", "V100-32")])
def test_edge(within, beyond, tmp_path):
    edge("HB104", SMALL + MACHINE, "instance.gpu", within, beyond, tmp_path)  # 8.0 and 7.5, 8.6 and 7.0, 9.0 and 7.0


def test_edge_of_the_implementation(tmp_path):
    machine = SMALL + "instance: {type: null, gpu: T4, gpus: 4, price: 10 USD/h}"
    edge("HB104", machine, "hyperparameters.attn_implementation", "sdpa", "flash_attention_2", tmp_path)


@pytest.mark.parametrize("name", ["flash_attention_3", "kernels-community/vllm-flash-attn3"])
def test_edge_of_other_kernels(name, tmp_path):
    machine = SMALL + "instance: {type: null, gpu: T4, gpus: 4, price: 10 USD/h}\nscript: {entry_point: own.py}"
    edge("HB104", machine, "hyperparameters.attn_implementation", "sdpa", name, tmp_path)


def test_both_capabilities_are_named(tmp_path):
    (found,) = judged("HB104", SMALL + MACHINE.replace("null,", "null, gpu: T4,"), tmp_path)
    assert found.message == "flash_attention_2 needs compute capability 8.0, but that of T4 is 7.5"
