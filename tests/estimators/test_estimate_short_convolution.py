"""Short convolutions beyond what traces say: what is not known."""

from __future__ import annotations

import pytest
from planned import LORA, planned, served

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.endpoint import serving
from hbspec.estimators.step.job import job_of

SMALL = "LiquidAI/LFM2-350M"


def test_a_convolution_computes_beyond_the_end_of_each_row():
    found = job_of(planned(SMALL, instance={"parallelism": "single"}, method=LORA, per_device_batch_size=4))
    assert found.program.rows == 4


def test_the_speed_of_serving_is_not_known():
    found = serving(served(SMALL, instance={"type": "ml.g5.2xlarge"}, region="us-east-1"))
    assert found.verdict == "fits"
    assert found.load is None
    assert "carry states from token to token" in found.unknown["load"]


def test_memory_under_tensor_parallelism_is_not_known():
    ways = {"parallelism": "fsdp", "tensor_parallel": 2}
    with pytest.raises(NotKnownError, match="short convolutions under tensor parallelism"):
        job_of(planned(SMALL, instance=ways, method=LORA))
