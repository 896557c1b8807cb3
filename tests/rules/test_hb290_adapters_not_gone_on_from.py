"""HB290: adapters that the shipped script cannot go on from."""

from __future__ import annotations

import pytest
from judged import codes, edge
from test_hb277_setting_beyond_the_script import FULL

NAMED = "someone/adapters"


@pytest.mark.parametrize(
    "fragment",
    [
        FULL,
        "task: reward\ndata: {type: preference}\ndeployment: null",
        "instance: {parallelism: zero3}\nhyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}",
    ],
)
def test_edge(fragment, tmp_path):
    edge("HB290", fragment, "model.adapter", None, NAMED, tmp_path)


@pytest.mark.parametrize("fragment", ["", "task: dpo\ndata: {type: preference}"])
def test_adapters_beside_frozen_weights(fragment, tmp_path):
    assert codes(fragment, tmp_path, (f"model.adapter={NAMED}",)) == codes(fragment, tmp_path)
