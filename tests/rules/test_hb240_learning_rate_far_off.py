"""HB240: the learning rate against the method and the size of the model."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

FULL = "hyperparameters: {method: full, bnb_quant_type: null, bnb_double_quant: null, lora_r: null, lora_alpha: null, "
FULL += "lora_dropout: null}\ninstance: {type: ml.p5.48xlarge, count: 4, parallelism: fsdp}\ndeployment: null\n"
FULL += "budget: {max_cost: 9000 USD}"
FULL_OF_8B = f"model: {{id: deepseek-ai/DeepSeek-R1-Distill-Llama-8B}}\n{FULL}"
FULL_OF_SMALL = f"model: {{id: HuggingFaceTB/SmolLM2-360M-Instruct}}\n{FULL}"
RATE = "hyperparameters.learning_rate"


def test_edges_of_adapters(tmp_path):
    edge("HB240", "", RATE, 5e-3, 6e-3, tmp_path)
    edge("HB240", "", RATE, 2e-6, 1e-6, tmp_path)


def test_edges_of_all_weights(tmp_path):
    edge("HB240", FULL_OF_8B, RATE, 3e-4, 4e-4, tmp_path)
    edge("HB240", FULL_OF_8B, RATE, 1e-7, 9e-8, tmp_path)


def test_edges_of_all_weights_of_a_small_model(tmp_path):
    edge("HB240", FULL_OF_SMALL, RATE, 3e-3, 4e-3, tmp_path)


@pytest.mark.parametrize(
    ("fragment", "rate"),
    [
        (FULL_OF_SMALL, 1e-3),  # alignment-handbook, recipes/smollm/sft/config.yaml
        (FULL_OF_8B, 2e-5),  # Stanford Alpaca
        (FULL_OF_8B, 2e-4),  # LitGPT, config_hub/finetune/llama-2-7b/full.yaml
        ("", 3e-6),  # axolotl, examples/phi/phi-qlora.yml
        ("", 1e-3),  # PEFT's examples
    ],
)
def test_public_recipes(fragment, rate, tmp_path):
    assert "HB240" not in codes(fragment, tmp_path, [f"{RATE}={rate}"])


def test_the_plain_gradient_has_another_scale(tmp_path):
    assert "HB240" not in codes("hyperparameters: {optim: sgd, learning_rate: 0.1}", tmp_path)
    assert "HB240" in codes("hyperparameters: {optim: paged_adamw_8bit, learning_rate: 0.1}", tmp_path)


def test_the_limit_and_the_size_are_named(tmp_path):
    (found,) = judged("HB240", "hyperparameters: {learning_rate: 0.2}", tmp_path)
    assert found.message == "learning_rate is 0.2, above 0.005, for qlora training of 32.8B parameters"
    assert found.help == "use learning_rate: 1e-4"
