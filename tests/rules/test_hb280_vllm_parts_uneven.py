"""HB280: GPUs over which a colocated vLLM spreads its model, and the processes of the job."""

from __future__ import annotations

from judged import codes, edge

GRPO = (
    "task: grpo\ndata: {type: prompt_only, validation: null}\nscript: {entry_point: finetune.py}\ndeployment: null\n"
    "hyperparameters: {max_steps: 60, max_completion_length: 256, use_vllm: true, vllm_max_model_length: 960"
)


def test_edge(tmp_path):
    edge("HB280", f"{GRPO}}}", "hyperparameters.vllm_tensor_parallel_size", 4, 3, tmp_path)


def test_a_server_is_told_when_it_starts(tmp_path):
    assert "HB280" not in codes(f"{GRPO}, vllm_mode: server, vllm_tensor_parallel_size: 3}}", tmp_path)
