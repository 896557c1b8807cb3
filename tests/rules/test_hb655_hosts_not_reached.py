"""HB655: network interfaces between instances."""

from __future__ import annotations

import pytest
from judged import edge, judged

LOOPBACK = "sagemaker: {environment: {NCCL_SOCKET_IFNAME: '%s'}}"


def test_the_edge_is_the_second_instance(tmp_path):
    enough = "budget: {max_cost: 999 USD}\nhyperparameters: {gradient_accumulation_steps: 2}"
    edge("HB655", f"{LOOPBACK % 'lo'}\n{enough}", "instance.count", 1, 2, tmp_path)


@pytest.mark.parametrize(
    ("value", "found"), [("lo", True), ("=lo", True), ("docker0", True), ("^lo,docker", False), ("eth0", False)]
)
def test_interfaces(value, found, tmp_path):
    said = judged("HB655", f"{LOOPBACK % value}\ninstance: {{count: 2}}", tmp_path)
    assert [entry.severity for entry in said] == (["error"] if found else [])
