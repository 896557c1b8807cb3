"""HB230: optimizers without an estimate."""

from __future__ import annotations

import pytest
from judged import codes, edge

OWN = "script: {entry_point: finetune.py}\ndeployment: null"


@pytest.mark.parametrize("name", ["lomo", "adalomo", "galore_adamw_layerwise", "apollo_adamw"])
def test_edge(name, tmp_path):
    edge("HB230", OWN, "hyperparameters.optim", "adafactor", name, tmp_path)


def test_the_shipped_script_refuses_them(tmp_path):
    assert "HB230" not in codes("hyperparameters: {optim: lomo}", tmp_path)
