"""HB214: optimizers that the script does not support."""

from __future__ import annotations

import pytest
from judged import edge, judged

OPTIM = "hyperparameters.optim"


@pytest.mark.parametrize("beyond", ["adamw_8bits", "galore_adamw"])
def test_edge(beyond, tmp_path):
    edge("HB214", "", OPTIM, "adamw_8bit", beyond, tmp_path)


def test_a_name_that_is_not_known(tmp_path):
    (found,) = judged("HB214", "hyperparameters: {optim: adamw_8bits}", tmp_path)
    assert (found.message, found.help) == ("adamw_8bits is not a known optimizer", "did you mean adamw_8bit?")


def test_the_author_s_script_may_use_all_of_them(tmp_path):
    own = "script: {entry_point: base.yaml}\n"
    assert judged("HB214", own + "hyperparameters: {optim: galore_adamw}", tmp_path) == []
    (found,) = judged("HB214", "hyperparameters: {optim: galore_adamw}", tmp_path)
    assert found.message == "galore_adamw needs more than the shipped script provides"
    assert found.fixes == ()
