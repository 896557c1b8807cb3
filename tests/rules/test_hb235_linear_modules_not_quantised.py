"""HB235: 4-bit training of a model whose linear modules are not `nn.Linear` itself."""

from __future__ import annotations

import json

import pytest
from judged import codes, edge, judged

from hbspec.api import estimate
from hbspec.estimators.weights import training_weights
from hbspec.units import bytes_text

FALCON = "model: {id: tiiuae/falcon-7b}\ndeployment: null"
TINY = {
    "model_type": "falcon", "hidden_size": 128, "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 512,
    "multi_query": True, "parallel_attn": True, "bias": False, "alibi": False, "new_decoder_architecture": False,
}  # fmt: skip


def test_edge(tmp_path):
    edge("HB235", FALCON, "software.transformers", "5.4.0", "5.5.0", tmp_path)


def test_both_sizes_are_named(tmp_path):
    (found,) = judged("HB235", FALCON, tmp_path)
    # 32 layers of 4544 by 4672 and 4544, and of 4544 by 18176 twice
    weights = 32 * 4544 * (4672 + 4544 + 2 * 18176)
    assert found.message.endswith(f"they take {bytes_text(2 * weights)} in bfloat16, not 3.42 GB in nf4")


def test_only_where_something_should_be_quantised(tmp_path):
    lora = "hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}"
    assert "HB235" not in codes(f"{FALCON}\n{lora}", tmp_path)
    assert "HB235" not in codes("model: {id: tiiuae/Falcon3-7B-Base}\ndeployment: null", tmp_path)


def test_transformers_leaves_every_linear_module_in_16_bits(tmp_path):
    """The message's two sizes, against a small model that transformers loads in 4 bits."""
    torch = pytest.importorskip("torch")
    bitsandbytes = pytest.importorskip("bitsandbytes")
    from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

    made = AutoModelForCausalLM.from_config(AutoConfig.for_model(**TINY), dtype=torch.bfloat16)
    made.save_pretrained(tmp_path / "falcon")
    quantised = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)
    model = AutoModelForCausalLM.from_pretrained(
        tmp_path / "falcon", quantization_config=quantised, dtype=torch.bfloat16, device_map={"": "cpu"}
    )
    assert not [module for module in model.modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]
    linear = [module for module in model.transformer.modules() if isinstance(module, torch.nn.Linear)]
    held = sum(module.weight.numel() * module.weight.element_size() for module in linear)
    asked = 0
    for module in linear:
        packed, state = bitsandbytes.functional.quantize_4bit(
            module.weight.data.float(), quant_type="nf4", compress_statistics=True
        )
        parts = (packed, state.absmax, state.code, state.state2.absmax, state.state2.code, state.offset)
        asked += sum(part.numel() * part.element_size() for part in parts)
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    (found,) = judged("HB235", "model: {id: null, config: ./config.json}\ndeployment: null", tmp_path)
    assert found.message.endswith(f"they take {bytes_text(held)} in bfloat16, not {bytes_text(asked)} in nf4")


def test_the_estimate_follows_the_same_version():
    """Falcon-40B under QLoRA ran on four A10G with transformers 4.31 (huggingface/notebooks, SageMaker 28)."""
    spec = {
        "hbspec": 1,
        "name": "falcon",
        "model": {"id": "tiiuae/falcon-40b"},
        "data": {"train": {"examples": 1000}, "tokens": {"mean": 256, "max": 512}},
        "instance": {"type": "ml.p4d.24xlarge", "region": "us-east-1", "parallelism": "ddp"},
        "hyperparameters": {
            "method": "qlora",
            "learning_rate": 2e-4,
            "max_steps": 10,
            "per_device_batch_size": 1,
            "max_length": 512,
        },
    }
    held = {}
    for version in ("4.31.0", "5.4.0", "5.5.0"):
        found = estimate(spec | {"software": {"transformers": version}})
        memory = found.memory
        assert memory is not None
        kept = training_weights(found.plan.require("architecture"), found.plan.training)
        held[version] = sum(kept.values())
        assert memory.fullest.peak_allocated.low > held[version]
        assert memory.fullest.peak_allocated.low - held[version] < 6e9
    assert held["4.31.0"] == held["5.4.0"]
    assert 20e9 < held["5.4.0"] < 23e9
    assert held["5.5.0"] > 80e9
