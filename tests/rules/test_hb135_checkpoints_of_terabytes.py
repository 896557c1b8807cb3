"""HB135: many large checkpoints that nothing reads."""

from __future__ import annotations

from judged import edge, judged

KEPT = "hyperparameters.save_total_limit"
FULL = """
model: {id: deepseek-ai/DeepSeek-R1-Distill-Llama-8B}
instance: {type: ml.p5.48xlarge, parallelism: fsdp, max_runtime: 90h}
hyperparameters: {method: full, bnb_quant_type: null, bnb_double_quant: null, lora_r: null, lora_alpha: null,
                  lora_dropout: null, learning_rate: 1e-5, save_steps: 10, save_total_limit: %s}
budget: null
deployment: null
"""


def test_the_edge_is_a_terabyte(tmp_path):
    each = 48_181_570_000  # bytes of weights and two states, in 16 bits
    most = 10**12 // each
    edge("HB135", FULL % "null", KEPT, most, most + 1, tmp_path)


def test_both_numbers_and_what_follows(tmp_path):
    (found,) = judged("HB135", FULL % 30, tmp_path)
    assert found.message.startswith("30 checkpoints of 48.2 GB are kept, 1.45 TB in all")
    assert found.help == "set save_total_limit: 3"


def test_ten_large_ones_may_be_compared(tmp_path):
    seventy = (FULL % 10).replace(
        "deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "deepseek-ai/DeepSeek-R1-Distill-Llama-70B"
    )
    assert judged("HB135", seventy, tmp_path) == []


def test_any_number_of_adapters_is_small(tmp_path):
    assert judged("HB135", "hyperparameters: {save_steps: 1, save_total_limit: 300}", tmp_path) == []


def test_the_shipped_script_keeps_few_by_default(tmp_path):
    assert judged("HB135", FULL % "null", tmp_path) == []
