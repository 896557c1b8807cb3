"""HB279: a colocated vLLM's share of a GPU, its weights and its longest request."""

from __future__ import annotations

from judged import codes, edge, judged

GRPO = (
    "task: grpo\ndata: {type: prompt_only, validation: null}\nscript: {entry_point: finetune.py}\ndeployment: null\n"
    "hyperparameters: {max_steps: 60, max_completion_length: 256, use_vllm: true"
)
SHARED = f"{GRPO}, vllm_tensor_parallel_size: 4"


def test_edge(tmp_path):
    """The 32B model's weights take 19.2 GB in 4 bits, of which 0.3 of an A100's 42 GB hold a quarter."""
    within = f"{SHARED}, vllm_max_model_length: 960}}"
    edge("HB279", within, "hyperparameters.vllm_tensor_parallel_size", 4, 1, tmp_path)


def test_a_request_as_long_as_the_model_s_positions_has_no_room_beside_the_weights(tmp_path):
    (found,) = judged("HB279", f"{SHARED}}}", tmp_path)
    assert (found.severity, found.confidence) == ("warning", "likely")
    assert "a request of 131,072 tokens" in found.message
    assert "HB279" not in codes(f"{SHARED}, vllm_max_model_length: 960}}", tmp_path)


def test_a_server_has_gpus_of_its_own(tmp_path):
    assert "HB279" not in codes(f"{GRPO}, vllm_mode: server}}", tmp_path)
