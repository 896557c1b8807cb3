"""HB108: tensor parallelism in a job of one process."""

from __future__ import annotations

import pytest
from judged import edge, judged

ONE_GPU = "model: {id: Qwen/Qwen2.5-7B}\ninstance: {type: ml.g5.2xlarge, parallelism: %s}"


@pytest.mark.parametrize("parallelism", ["single", "pipeline"])
def test_edge(parallelism, tmp_path):
    edge("HB108", ONE_GPU % parallelism, "instance.tensor_parallel", 1, 2, tmp_path)


def test_the_processes_needed_and_started_are_named(tmp_path):
    (found,) = judged("HB108", ONE_GPU % "single, tensor_parallel: 2", tmp_path)
    assert found.message == "tensor_parallel 2 needs 2 processes, but parallelism: single starts 1"
