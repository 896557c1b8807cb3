"""HB124: sharding that the shipped script does not support."""

from __future__ import annotations

import pytest
from judged import edge, judged

FSDP = "instance: {parallelism: fsdp}\nhyperparameters: {bnb_4bit_quant_storage: bfloat16}"


@pytest.mark.parametrize(
    ("key", "within", "beyond"),
    [("offload", "none", "optimizer"), ("sharding", "full", "hybrid"), ("tensor_parallel", 1, 2)],
)
def test_edge(key, within, beyond, tmp_path):
    edge("HB124", FSDP, f"instance.{key}", within, beyond, tmp_path)


def test_the_key_and_the_supported_value_are_named(tmp_path):
    (found,) = judged("HB124", "instance: {parallelism: zero2, offload: all}", tmp_path)
    assert found.message == "offload is all, but the shipped script supports only none"
    assert found.help == "delete instance.offload, or set script to your script that supports it"


@pytest.mark.parametrize("parallelism", ["zero1", "zero2"])
def test_offload_that_is_planned_and_not_done_is_one_error(parallelism, tmp_path):
    fragment = f"instance: {{parallelism: {parallelism}, offload: all}}"
    (found,) = judged("HB124", fragment, tmp_path)
    assert (found.severity, found.also) == ("error", (("HB213", ("instance", "offload")),))
    assert judged("HB213", fragment, tmp_path) == []


@pytest.mark.parametrize("parallelism", ["single", "ddp", "zero2", "zero3"])
@pytest.mark.parametrize("sharding", ["hybrid", "none"])
def test_sharding_of_what_is_not_fsdp_is_not_judged(parallelism, sharding, tmp_path):
    fragment = f"instance: {{parallelism: {parallelism}, sharding: {sharding}}}\nhyperparameters: {{method: lora}}"
    assert judged("HB124", fragment, tmp_path) == []


def test_offload_under_ddp_is_not_judged(tmp_path):
    assert judged("HB124", "instance: {parallelism: ddp, offload: all}", tmp_path) == []
