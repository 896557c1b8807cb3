"""HB650: ids of subnets and security groups."""

from __future__ import annotations

import pytest
from judged import edge, judged

SUBNET, GROUP = "subnet-0a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718"
VPC = "sagemaker: {vpc: {subnets: [%s], security_groups: [%s]}}"


def test_the_edge_is_the_last_character(tmp_path):
    edge("HB650", VPC % (SUBNET, GROUP), "sagemaker.vpc.subnets", [SUBNET], [SUBNET[:-1]], tmp_path)


@pytest.mark.parametrize(
    ("subnets", "groups", "routes"),
    [
        (SUBNET, GROUP, []),
        ("subnet-0a1b2c3d", "sg-0a1b2c3d", []),
        (GROUP, SUBNET, ["sagemaker.vpc"]),
        (f"{GROUP}, sg-0a1b2c3d", SUBNET, ["sagemaker.vpc"]),
        (GROUP, GROUP, ["sagemaker.vpc.subnets.0"]),
        ("vpc-0a1b2c3d4e5f60718", GROUP, ["sagemaker.vpc.subnets.0"]),
        (f"{SUBNET}, private-a", GROUP, ["sagemaker.vpc.subnets.1"]),
        (SUBNET, "SG-0A1B2C3D4E5F60718", ["sagemaker.vpc.security_groups.0"]),
        ("a", "b", ["sagemaker.vpc.subnets.0", "sagemaker.vpc.security_groups.0"]),
    ],
)
def test_ids(subnets, groups, routes, tmp_path):
    found = judged("HB650", VPC % (subnets, groups), tmp_path)
    assert [
        ".".join(map(str, entry.route)) for entry in sorted(found, key=lambda one: str(one.route), reverse=True)
    ] == routes
    assert all(entry.severity == "error" for entry in found)
