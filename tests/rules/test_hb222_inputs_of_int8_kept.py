"""HB222: what int8 keeps despite checkpointing."""

from __future__ import annotations

import pytest
from judged import edge, judged

H200 = "instance: {type: ml.p5en.48xlarge}\nhyperparameters: {bnb_double_quant: null%s}"


@pytest.mark.parametrize(
    ("given", "key", "within", "beyond"),
    [
        ("", "hyperparameters.bnb_quant_type", "nf4", "int8"),
        (", bnb_quant_type: int8", "hyperparameters.gradient_checkpointing", False, True),
    ],
)
def test_edge(given, key, within, beyond, tmp_path):
    edge("HB222", H200 % given, key, within, beyond, tmp_path)


def test_both_sizes_are_named(tmp_path):
    (found,) = judged("HB222", H200 % ", bnb_quant_type: int8", tmp_path)
    assert found.message.startswith("int8 keeps ")
    assert "for a micro-batch of 689-token rows despite gradient checkpointing; 4-bit weights keep " in found.message
