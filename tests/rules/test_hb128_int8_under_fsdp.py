"""HB128: int8 weights under FSDP."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

INT8 = "instance: {parallelism: fsdp}\nhyperparameters: {bnb_double_quant: null}"


def test_edge(tmp_path):
    edge("HB128", INT8, "hyperparameters.bnb_quant_type", "nf4", "int8", tmp_path)


@pytest.mark.parametrize("version", [1, 2])
def test_neither_version_shards_them(version, tmp_path):
    fragment = INT8.replace("fsdp}", f"fsdp, fsdp_version: {version}}}")
    (found,) = judged("HB128", fragment.replace("null", "null, bnb_quant_type: int8"), tmp_path)
    assert found.help == "use bnb_quant_type: nf4"


def test_other_parallelism_takes_them(tmp_path):
    fragment = "instance: {parallelism: ddp}\nhyperparameters: {bnb_double_quant: null, bnb_quant_type: int8}"
    assert "HB128" not in codes(fragment, tmp_path)
