"""HB603: the role's ARN and its partition."""

from __future__ import annotations

import pytest
from judged import edge, judged

ROLE = "arn:aws:iam::%s:role/ExecutionRole"


def test_the_edge_is_the_twelfth_digit(tmp_path):
    edge("HB603", "", "sagemaker.role", ROLE % "111122223333", ROLE % "11112222333", tmp_path)


def test_the_edge_is_the_regions_partition(tmp_path):
    governments = (ROLE % "111122223333").replace("aws", "aws-us-gov")
    edge("HB603", "", "sagemaker.role", ROLE % "111122223333", governments, tmp_path)
    assert judged("HB603", f'instance: {{region: us-gov-west-1}}\nsagemaker: {{role: "{governments}"}}', tmp_path) == []


@pytest.mark.parametrize(
    ("role", "count"),
    [
        ("arn:aws:iam::111122223333:role/service-role/Execution.Role@x", 0),
        ("arn:aws:iam::11112222333:role/ExecutionRole", 1),
        ("arn:aws:iam::111122223333:user/me", 1),
        ("arn:aws-us-gov:iam::111122223333:role/ExecutionRole", 1),
    ],
)
def test_arn_and_partition(tmp_path, role, count):
    assert len(judged("HB603", f'sagemaker: {{role: "{role}"}}', tmp_path)) == count
