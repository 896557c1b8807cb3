"""What GPUs that share a model send each other while it answers: Qwen2.5-32B's hidden states on four GPUs of a host."""

from __future__ import annotations

from planned import served

from hbspec.estimators.serving.decoding import prefill_seconds, step_of
from hbspec.estimators.serving.summing import summed_over_pcie
from hbspec.estimators.step.communication import link, ring_bytes
from hbspec.units import Interval

FOUR = {"instance": {"type": "ml.g5.12xlarge"}, "tensor_parallel": 4}


def test_sums_over_pcie_take_as_long_as_links_say():
    plan = served(**FOUR)
    sent = 2 * 2 * 64 * ring_bytes(1000 * 5120 * 2, 4)
    assert summed_over_pcie(plan, 1000) == link(plan.hardware, 4).seconds(sent, collectives=0)


def test_they_are_part_of_a_step_and_of_prefill():
    plan = served(**FOUR)
    step = step_of(plan, 1000, 4)
    alone = step._replace(over_pcie=Interval.exact(0.0)).interval()
    assert step.interval() == alone + summed_over_pcie(plan, 4)
    assert prefill_seconds(plan, 1000).low > summed_over_pcie(plan, 1000).low > 0


def test_over_nvlink_they_are_fitted_and_one_gpu_has_none():
    assert summed_over_pcie(served(instance={"type": "ml.p4d.24xlarge"}, tensor_parallel=4), 1000).high == 0
    assert summed_over_pcie(served(instance={"type": "ml.g5.2xlarge"}), 1000).high == 0
