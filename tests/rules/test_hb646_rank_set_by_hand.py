"""HB646: variables that the launcher sets."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_name(tmp_path):
    edge("HB646", "", "sagemaker.environment", {"WORLD_SIZES": "8"}, {"WORLD_SIZE": "8"}, tmp_path)


def test_several_are_one_finding(tmp_path):
    environment = "sagemaker: {environment: {A: b, MASTER_ADDR: localhost, MASTER_PORT: '29500'}}"
    (found,) = judged("HB646", environment, tmp_path)
    assert found.route[-1] == "MASTER_ADDR"
    assert "MASTER_ADDR and MASTER_PORT are set by hand" in found.message


@pytest.mark.parametrize(("parallelism", "effect"), [("ddp", "the launcher sets it"), ("single", "waits for others")])
def test_the_effect_is_said(parallelism, effect, tmp_path):
    fragment = f"instance: {{parallelism: {parallelism}}}\nsagemaker: {{environment: {{LOCAL_RANK: '0'}}}}"
    (found,) = judged("HB646", fragment, tmp_path)
    assert (effect in found.message, found.severity) == (True, "warning")
