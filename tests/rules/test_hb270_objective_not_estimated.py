"""HB270: an objective whose memory and time are not estimated."""

from __future__ import annotations

import pytest
from judged import codes, estimated

NO_EDGE = "a task that is not estimated has data and settings of its own"
SERVER = (
    "task: grpo\ndata: {type: prompt_only}\nscript: {entry_point: finetune.py}\ndeployment: null\n"
    "hyperparameters: {use_vllm: true, vllm_mode: server}\n"
)


def test_the_time_of_a_server_s_completions_is_not_known(tmp_path):
    assert codes(SERVER, tmp_path) == {"HB270"}
    found = estimated(SERVER, tmp_path)
    assert found.memory is not None
    assert {"time", "cost"} <= set(found.unknown)


def test_older_releases_hold_other_logits(tmp_path):
    older = f"{SERVER}software: {{trl: 0.19.0, transformers: 4.53.0}}"
    assert "HB270" in codes(older, tmp_path)
    assert estimated(older, tmp_path).memory is None


@pytest.mark.parametrize("trainer", ["trl", "loop"])
def test_a_loop_of_your_own_holds_a_reference_in_a_way_of_its_own(trainer, tmp_path):
    own = (
        f"task: dpo\ndata: {{type: preference}}\nscript: {{entry_point: finetune.py}}\nsoftware: {{trainer: {trainer}}}"
    )
    assert ("HB270" in codes(own, tmp_path)) == (trainer == "loop")


def test_experts_have_a_loss_of_their_routers(tmp_path):
    sparse = "model: {id: Qwen/Qwen3-30B-A3B}\nhyperparameters: {target_modules: [q_proj], bnb_quant_type: nf4}\n"
    pairs = "task: {}\ndata: {{type: preference}}\n"
    assert "HB270" in codes(sparse + pairs.format("dpo"), tmp_path)
    assert "HB270" not in codes(sparse + pairs.format("reward"), tmp_path)
