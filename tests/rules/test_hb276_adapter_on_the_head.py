"""HB276: an adapter on the head that DPO and KTO read."""

from __future__ import annotations

import pytest
from judged import codes, edge

PAIRS = "task: dpo\ndata: {type: preference}\ndeployment: null\n"


def test_the_edge_is_the_head(tmp_path):
    edge("HB276", PAIRS, "hyperparameters.target_modules", ["q_proj"], ["q_proj", "lm_head"], tmp_path)


@pytest.mark.parametrize(("trl", "refuses"), [("1.14.0", False), ("1.15.0", True)])
def test_older_trainers_made_logits(trl, refuses, tmp_path):
    own = f"script: {{entry_point: finetune.py}}\nsoftware: {{trl: {trl}}}\n"
    found = codes(f"{PAIRS}{own}hyperparameters: {{target_modules: [q_proj, lm_head]}}", tmp_path)
    assert ("HB276" in found) == refuses
