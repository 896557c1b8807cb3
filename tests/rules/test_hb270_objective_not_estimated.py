"""HB270: an objective whose memory and time are not estimated."""

from __future__ import annotations

import pytest
from judged import codes, estimated

NO_EDGE = "a task that is not estimated has data and settings of its own"
GRPO = "task: grpo\ndata: {type: prompt_only}\nreward: {functions: [finetune.py:train]}"


def test_generation_is_not_estimated(tmp_path):
    assert codes(GRPO, tmp_path) == {"HB270"}
    found = estimated(GRPO, tmp_path)
    assert {"memory", "time"} <= set(found.unknown)


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
