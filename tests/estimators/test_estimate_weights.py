from __future__ import annotations

import pytest
from planned import FULL, LORA, QLORA, R1, TRAINER, planned

from hbspec.catalog import catalog
from hbspec.catalog.parameters import linear_parameters, total_parameters
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.weights import serving_weights, training_weights
from hbspec.units import GB

MIXTRAL = "mistralai/Mixtral-8x7B-v0.1"


def trained(model, method, **changes):
    plan = planned(model, method=method, **changes)
    return training_weights(plan.architecture, plan.training)


def test_four_bit_weights_are_19_gb_to_serve_and_22_to_train_after_k_bit_preparation():
    assert sum(trained(R1, QLORA).values()) / GB == pytest.approx(19.215, abs=5e-4)
    assert sum(trained(R1, QLORA, sections=TRAINER).values()) / GB == pytest.approx(22.33, abs=0.005)
    assert sum(serving_weights(catalog().models[R1].architecture, "nf4").values()) / GB == pytest.approx(
        19.215, abs=5e-4
    )


def test_k_bit_preparation_doubles_embedding_and_head_alone():
    without, prepared = trained(R1, QLORA), trained(R1, QLORA, sections=TRAINER)
    assert prepared["embedding"] == prepared["output_head"] == 2 * without["embedding"] == 4 * 152_064 * 5120
    assert prepared["quantized_weights"] == without["quantized_weights"]
    assert prepared["linear_weights"] == 0


def test_sixteen_bit_weights_are_two_bytes_a_parameter():
    for method in (LORA, FULL):
        assert sum(trained(R1, method).values()) == 2 * total_parameters(catalog().models[R1].architecture)


def test_plain_scales_cost_a_sixteenth_of_a_weight():
    plain = trained(R1, {**QLORA, "bnb_double_quant": False})
    linear = linear_parameters(catalog().models[R1].architecture)
    assert plain["quantized_weights"] == linear // 2
    assert plain["quantization_scales"] == linear // 16 + 7 * 64 * 64
    assert plain["quantization_scales"] > 3.8 * trained(R1, QLORA)["quantization_scales"]


def test_eight_bit_is_a_byte_a_weight():
    assert trained(R1, {**QLORA, "bnb_quant_type": "int8"})["quantized_weights"] == linear_parameters(
        catalog().models[R1].architecture
    )


def test_fused_experts_are_quantised_where_the_spec_says_so():
    without = trained(MIXTRAL, QLORA, target_modules=["q_proj"])
    found = trained(MIXTRAL, QLORA, target_modules=["q_proj"], quantize_experts=True)
    numbers = without["experts"] // 2
    assert found["experts"] == 0
    assert found["quantized_weights"] - without["quantized_weights"] == numbers // 2
    scales = found["quantization_scales"] - without["quantization_scales"]
    assert scales == pytest.approx(numbers * (1 / 64 + 4 / (64 * 256)), rel=1e-3)


def test_fused_experts_are_not_quantised():
    fused = sum(trained(MIXTRAL, QLORA, target_modules=["q_proj"]).values())
    prepared = sum(trained(MIXTRAL, QLORA, target_modules=["q_proj"], sections=TRAINER).values())
    plan = planned(MIXTRAL, target_modules=["q_proj"])
    older = plan.training._replace(software=(("transformers", "4.57.3"),))
    assert fused > 90 * GB  # 45.1B parameters of experts in 16 bits
    assert prepared > 180 * GB  # and in fp32
    assert sum(training_weights(plan.architecture, older).values()) < 27 * GB


@pytest.mark.parametrize("model", [R1, MIXTRAL])
@pytest.mark.parametrize("quantization", ["nf4", "fp4", "int8", "awq", "gptq", "fp8"])
def test_quantised_serving_is_smaller(model, quantization):
    architecture = catalog().models[model].architecture
    assert sum(serving_weights(architecture, quantization).values()) < sum(
        serving_weights(architecture, "none").values()
    )


def test_awq_and_fp8_of_r1():
    architecture = catalog().models[R1].architecture
    kept = 2 * (total_parameters(architecture) - linear_parameters(architecture))
    linear = linear_parameters(architecture)
    assert sum(serving_weights(architecture, "awq").values()) == pytest.approx(
        kept + linear * (0.5 + 2.5 / 128), abs=10
    )
    fp8 = serving_weights(architecture, "fp8")
    assert linear < fp8["quantized_weights"] < 1.001 * linear
    assert fp8["kept_weights"] == kept


def test_unknown_quantisation_is_named():
    with pytest.raises(NotKnownError, match="exl2"):
        serving_weights(catalog().models[R1].architecture, "exl2")
