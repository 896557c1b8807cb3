"""HB225: shares of the updates, by the version that reads them."""

from __future__ import annotations

import pytest
from judged import codes, edge, found_by, judged

BEFORE = 'software: {transformers: "%s"}'


def test_edge_of_the_warmup(tmp_path):
    assert "HB225" in codes("hyperparameters: {warmup_steps: 0.1}\n" + BEFORE % "4.57.6", tmp_path)
    assert "HB225" not in codes("hyperparameters: {warmup_steps: 0.1}\n" + BEFORE % "5.0.0", tmp_path)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("key", ["save_steps", "eval_steps", "logging_steps"])
def test_edge_of_the_others(key, tmp_path):
    share = f"hyperparameters: {{{key}: 0.1}}\n"  # with versions that HB260 finds too old for the model
    assert found_by("HB225", share + BEFORE % "4.28.1", tmp_path)
    assert not found_by("HB225", share + BEFORE % "4.29.0", tmp_path)


def test_edge_of_a_share(tmp_path):
    edge("HB225", BEFORE % "4.57.6", "hyperparameters.warmup_steps", 1, 0.5, tmp_path)


def test_the_key_that_older_versions_read_is_advised(tmp_path):
    (found,) = judged("HB225", "hyperparameters: {warmup_steps: 0.1}\n" + BEFORE % "4.57.6", tmp_path)
    assert found.message == "warmup_steps 0.1 is a share of the updates only since transformers 5.0, not in 4.57.6"
    assert found.help == "use warmup_ratio: 0.1"
