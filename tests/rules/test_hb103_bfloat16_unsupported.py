"""HB103: bfloat16 below compute capability 8.0."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

SMALL = "model: {id: Qwen/Qwen2.5-7B}\n"
MACHINE = SMALL + "instance: {type: null, gpus: 4, price: 10 USD/h}\nhyperparameters: {bf16: true}"


@pytest.mark.parametrize(("within", "beyond"), [("A100-40", "T4"), ("A10G", "V100-32"), ("H100-80", "V100-32")])
def test_edge(within, beyond, tmp_path):
    edge("HB103", MACHINE, "instance.gpu", within, beyond, tmp_path)  # 8.0 and 7.5, 8.6 and 7.0, 9.0 and 7.0


def test_edge_of_the_flag(tmp_path):
    slow = SMALL + "instance: {type: ml.g4dn.12xlarge, max_runtime: 9h}"
    assert "HB103" not in codes(f"{slow}\nhyperparameters: {{bf16: false}}", tmp_path)
    edge("HB103", slow, "hyperparameters.bf16", None, True, tmp_path)


def test_the_capability_and_the_one_needed_are_named(tmp_path):
    fragment = SMALL + "instance: {type: ml.g4dn.12xlarge}\nhyperparameters: {bf16: true}"
    (found,) = judged("HB103", fragment, tmp_path)
    assert found.message == "bf16 is true, but T4 (compute capability 7.5, 8.0 needed) does not support bfloat16"
