"""HB519: adapters that vLLM refuses when it loads them."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_vllm_s_list_of_ranks(tmp_path):
    edge("HB519", "deployment: {adapters: separate}", "deployment.max_lora_rank", 32, 24, tmp_path)


@pytest.mark.parametrize(("rank", "fix"), [(1, None), (24, 32), (48, 64), (320, None), (400, 512), (600, 512)])
def test_the_next_rank_of_the_list(rank, fix, tmp_path):
    found = judged("HB519", f"hyperparameters: {{lora_r: 1}}\ndeployment: {{max_lora_rank: {rank}}}", tmp_path)
    assert [one.fixes[0].value for one in found] == ([fix] if fix else [])


@pytest.mark.parametrize(
    ("setting", "key"), [("use_dora: true", "use_dora"), ("modules_to_save: [lm_head]", "modules_to_save")]
)
def test_kinds_of_adapters_are_refused_at_their_key(setting, key, tmp_path):
    (found,) = judged("HB519", f"hyperparameters: {{{setting}}}", tmp_path)
    assert found.route == ("hyperparameters", key)
    assert judged("HB519", f"hyperparameters: {{{setting}}}\ndeployment: {{adapters: merged}}", tmp_path) == []
    assert judged("HB519", f"hyperparameters: {{{setting}}}\ndeployment: null", tmp_path) == []


def test_full_training_makes_no_adapters(tmp_path):
    full = "hyperparameters: {method: full, lora_r: null, lora_alpha: null, lora_dropout: null, bnb_quant_type: null, "
    full += "bnb_double_quant: null}\ninstance: {parallelism: fsdp}\ndeployment: {quantization: none, adapters: %s}"
    (found,) = judged("HB519", full % "separate", tmp_path)
    assert found.route == ("deployment", "adapters")
    assert judged("HB519", full % "merged", tmp_path) == judged("HB519", full % "null", tmp_path) == []
