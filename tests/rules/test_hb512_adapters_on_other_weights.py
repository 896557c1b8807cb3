"""HB512: the weights that adapters are trained and served on."""

from __future__ import annotations

import pytest
from judged import edge, judged


@pytest.mark.parametrize(("within", "beyond"), [("nf4", "gptq"), ("fp8", "fp4"), ("int8", "awq")])
def test_the_edge_is_another_method_in_4_bits(within, beyond, tmp_path):
    ada = 'deployment: {instance: {type: ml.g6e.12xlarge}, model: "s3://bucket/copy/"}'
    edge("HB512", ada, "deployment.quantization", within, beyond, tmp_path)


@pytest.mark.parametrize(
    ("method", "served", "warned"),
    [
        ("{method: qlora, bnb_quant_type: nf4}", "nf4", False),
        ("{method: qlora, bnb_quant_type: nf4}", "none", False),
        ("{method: qlora, bnb_quant_type: nf4}", "fp8", False),
        ("{method: qlora, bnb_quant_type: nf4}", "awq", True),
        ("{method: qlora, bnb_quant_type: fp4}", "nf4", True),
        ("{method: qlora, bnb_quant_type: int8, bnb_double_quant: null}", "nf4", False),
        ("{method: lora, bnb_quant_type: null, bnb_double_quant: null}", "gptq", False),
    ],
)
def test_adapters_are_served_on_the_weights_that_they_know(method, served, warned, tmp_path):
    fragment = f"hyperparameters: {method}\ndeployment: {{quantization: {served}}}"
    assert bool(judged("HB512", fragment, tmp_path)) is warned


def test_the_consequence_is_named(tmp_path):
    (found,) = judged("HB512", "deployment: {quantization: gptq}", tmp_path)
    assert found.message == (
        "the adapters are trained on nf4 weights, but served on gptq weights, whose rounding errors they have not "
        "learned to correct: answers may be worse than in the evaluation"
    )
    assert found.help == "set deployment.quantization to nf4, or to none for 16-bit weights"
