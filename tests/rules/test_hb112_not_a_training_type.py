"""HB112: types that SageMaker does not train on."""

from __future__ import annotations

from judged import edge, judged


def test_edge(tmp_path):
    edge("HB112", "", "instance.type", "ml.p4d.24xlarge", "p4d.24xlarge", tmp_path)


def test_edge_of_an_alternative(tmp_path):
    edge("HB112", "", "instance.alternatives", ["ml.p4de.24xlarge"], ["ml.p4de.24xlage"], tmp_path)


def test_ec2_names_lack_the_prefix(tmp_path):
    (found,) = judged("HB112", "instance: {type: p4d.24xlarge}", tmp_path)
    assert found.message == "p4d.24xlarge is not a training type: SageMaker's types begin with `ml.`"
    assert found.help == "did you mean ml.p4d.24xlarge?"


def test_a_type_that_sagemaker_only_serves_on(tmp_path):
    (found,) = judged("HB112", "instance: {type: ml.inf2.48xlarge}", tmp_path)
    assert found.message == "ml.inf2.48xlarge is an instance type, but SageMaker does not train on it"


def test_a_misspelt_alternative(tmp_path):
    (found,) = judged("HB112", "instance: {alternatives: [ml.p4de.24xlarge, ml.p5.48xlage]}", tmp_path)
    assert found.route == ("instance", "alternatives", 1)
    assert found.message == "ml.p5.48xlage is not a training type"
    assert found.fixes[0].value == "ml.p5.48xlarge"


def test_a_misspelt_type_has_one_message(tmp_path):
    codes = ("HB113", "HB117", "HB119", "HB121")
    assert not any(judged(code, "instance: {type: ml.p4d.24xl}", tmp_path) for code in codes)
