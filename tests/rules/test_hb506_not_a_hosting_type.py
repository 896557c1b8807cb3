"""HB506: types that SageMaker does not host on."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_a_letter(tmp_path):
    edge("HB506", "", "deployment.instance.type", "ml.g5.12xlarge", "ml.g5.13xlarge", tmp_path)


@pytest.mark.parametrize(
    ("name", "message", "action"),
    [
        ("g5.12xlarge", "g5.12xlarge is not a SageMaker hosting type", "did you mean ml.g5.12xlarge?"),
        (
            "ml.p3dn.24xlarge",
            "ml.p3dn.24xlarge is a training type, not a hosting type",
            "use one of SageMaker's hosting types",
        ),
        ("nonsense", "nonsense is not a SageMaker hosting type", "use one of SageMaker's hosting types"),
    ],
)
def test_what_is_offered_instead(tmp_path, name, message, action):
    (found,) = judged("HB506", f"deployment: {{instance: {{type: {name}}}}}", tmp_path)
    assert (found.message, found.help) == (message, action)


def test_the_instance_of_a_baseline_is_judged_too(tmp_path):
    test = "baseline: today, served_model_name: assistant, candidate_weight: 0.1, instance: {type: g5.12xlarge}"
    (found,) = judged("HB506", f"deployment: {{ab_test: {{{test}}}}}", tmp_path)
    assert found.route == ("deployment", "ab_test", "instance", "type")
    assert found.help == "did you mean ml.g5.12xlarge?"
