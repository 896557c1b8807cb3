"""NF4 bytes against bitsandbytes itself, and which modules transformers hands to it."""

from __future__ import annotations

import bitsandbytes
import pytest
import torch
from transformers import BitsAndBytesConfig
from transformers.integrations.bitsandbytes import replace_with_bnb_linear
from transformers.quantizers.base import get_keys_to_not_convert

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.parameters import linear_parameters, nf4_bytes, total_parameters

STORAGE = [torch.uint8, torch.bfloat16, torch.float32]


def bytes_of(tensor):
    return tensor.numel() * tensor.element_size()


def real_bytes(rows, columns, double_quant, storage):
    """Packed codes, scales and constants of one module, quantised by bitsandbytes on the CPU."""
    packed, state = bitsandbytes.functional.quantize_4bit(
        torch.randn(rows, columns), quant_type="nf4", compress_statistics=double_quant, quant_storage=storage
    )
    scales, constants = bytes_of(state.absmax), bytes_of(state.code)
    if double_quant:
        scales += bytes_of(state.state2.absmax)
        constants += bytes_of(state.state2.code) + bytes_of(state.offset)
    return bytes_of(packed), scales, constants


@pytest.mark.parametrize("double_quant", [True, False])
@pytest.mark.parametrize("storage", STORAGE, ids=str)
@pytest.mark.parametrize("sizes", [(64, 96), (136, 328), (320, 1000)], ids=str)
def test_bytes_are_those_of_bitsandbytes(sizes, storage, double_quant):
    hidden, intermediate = sizes
    architecture = Architecture.from_config({
        "model_type": "llama", "hidden_size": hidden, "intermediate_size": intermediate, "num_hidden_layers": 3,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100,
    })  # fmt: skip
    shapes = [(hidden, hidden), (hidden // 2, hidden)] * 2 + [(intermediate, hidden)] * 2 + [(hidden, intermediate)]
    real = [real_bytes(*shape, double_quant, storage) for shape in shapes]
    ours = nf4_bytes(architecture, double_quant=double_quant)
    assert (ours.packed, ours.scales, ours.constants) == tuple(3 * sum(part) for part in zip(*real, strict=True))


@pytest.mark.one_in(5)
def test_transformers_quantises_the_linear_modules_and_keeps_the_rest(variant, model_of):
    model = model_of(variant)
    kept = get_keys_to_not_convert(model)
    replace_with_bnb_linear(model, kept, BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4"))
    quantised = (module for module in model.modules() if isinstance(module, bitsandbytes.nn.Linear4bit))
    architecture = Architecture.from_config(variant)
    elements = sum(module.in_features * module.out_features for module in quantised)
    assert elements == linear_parameters(architecture)
    assert nf4_bytes(architecture).kept_parameters == total_parameters(architecture) - elements


def test_an_odd_number_of_weights_takes_one_more_half_byte():
    architecture = Architecture.from_config({
        "model_type": "qwen3", "hidden_size": 5, "intermediate_size": 7, "num_hidden_layers": 1, "head_dim": 3,
        "num_attention_heads": 1, "num_key_value_heads": 1, "vocab_size": 10,
    })  # fmt: skip
    real = 4 * real_bytes(3, 5, True, torch.uint8)[0] + 3 * real_bytes(7, 5, True, torch.uint8)[0]
    assert nf4_bytes(architecture).packed == real == 4 * 8 + 3 * 18


def test_the_reference_model():
    size = nf4_bytes(catalog().models["deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"].architecture)
    assert size.packed == 31_205_621_760 // 2
    assert size.quantized == 31_205_621_760 * (0.5 + 1 / 64 + 4 / 16384) + 448 * 1092
    assert size.kept_parameters == 1_558_254_592
    # To serve, and after prepare_model_for_kbit_training; the spec language's reference example says 19.2 and 22.3 GB.
    assert round(size.total(2) / 1e9, 1) == 19.2
    assert round(size.total(4) / 1e9, 1) == 22.3


def test_without_double_quantisation_scales_take_four_bytes_a_block():
    architecture = catalog().models["Qwen/Qwen2.5-7B"].architecture
    assert nf4_bytes(architecture, double_quant=False).scales == linear_parameters(architecture) // 64 * 4


def test_fused_experts_stay_as_they_are():
    architecture = catalog().models["mistralai/Mixtral-8x7B-v0.1"].architecture
    assert nf4_bytes(architecture).kept_parameters / total_parameters(architecture) > 0.97
