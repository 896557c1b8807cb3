"""HB503: the adapters' rank against the engine's."""

from __future__ import annotations

import pytest
from judged import edge, judged

SEPARATE = "deployment: {adapters: separate, max_lora_rank: 16}"


def test_the_edge_is_the_engines_rank(tmp_path):
    edge("HB503", SEPARATE, "hyperparameters.lora_r", 16, 17, tmp_path)


@pytest.mark.parametrize(("rank", "fix"), [(17, 32), (32, 32), (33, 64), (512, 512)])
def test_the_next_rank_that_the_engine_knows(tmp_path, rank, fix):
    adapters = f"hyperparameters: {{lora_r: {rank}}}\ndeployment: {{adapters: separate, max_lora_rank: %s}}"
    (found,) = judged("HB503", adapters % 16, tmp_path)
    assert found.fixes[0].value == fix
    for enough in (fix, "null"):
        assert judged("HB503", adapters % enough, tmp_path) == []


def test_no_engine_serves_more_than_512(tmp_path):
    (found,) = judged("HB503", "hyperparameters: {lora_r: 513}\ndeployment: {adapters: separate}", tmp_path)
    assert (found.fixes, found.route) == ((), ("hyperparameters", "lora_r"))


def test_merged_adapters_have_none(tmp_path):
    assert judged("HB503", "hyperparameters: {lora_r: 512}\ndeployment: {adapters: merged}", tmp_path) == []
