"""HB105: instances that nothing connects."""

from __future__ import annotations

import pytest
from judged import edge, judged

SMALL = "model: {id: Qwen/Qwen2.5-7B}\n"


@pytest.mark.parametrize("parallelism", ["single", "pipeline"])
def test_edge(parallelism, tmp_path):
    one_gpu = f"{SMALL}instance: {{type: ml.g5.2xlarge, parallelism: {parallelism}}}"
    edge("HB105", one_gpu, "instance.count", 1, 2, tmp_path)


@pytest.mark.parametrize("parallelism", ["ddp", "fsdp", "zero1", "zero2", "zero3"])
def test_every_other_parallelism_connects(parallelism, tmp_path):
    assert judged("HB105", f"instance: {{parallelism: {parallelism}, count: 2}}", tmp_path) == []


def test_several_gpus_are_used_by_connecting_them(tmp_path):
    (found,) = judged("HB105", "instance: {parallelism: pipeline, count: 2}", tmp_path)
    assert found.message == (
        "count is 2, but parallelism: pipeline starts one process on each instance: "
        "each trains the whole job alone, at 2 times the cost"
    )
    assert found.help == "use parallelism: ddp or fsdp to connect the instances and use every GPU"


def test_only_what_fits_is_advised(tmp_path):
    larger = "model: {id: Qwen/Qwen2.5-14B}\nhyperparameters: {method: lora}\n"
    two = "instance: {type: ml.g5.12xlarge, parallelism: pipeline, count: 2}"
    (found,) = judged("HB105", larger + two, tmp_path)
    assert found.help == "use parallelism: fsdp to connect the instances and use every GPU"
